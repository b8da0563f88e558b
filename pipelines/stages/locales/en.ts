import type { BandChange, Locale } from './locale.ts';

const SYMBOLS: Readonly<Record<string, string>> = { EUR: '€', GBP: '£', JPY: '¥', USD: '$' };

function changed(changes: readonly BandChange[]): string {
  return changes
    .map(({ role, given, present }) =>
      given === present
        ? `the ${role} bands, which were changed within version ${present}`
        : `${role} bands version ${present} (given by version ${given})`,
    )
    .join(' and ');
}

export const en: Locale = {
  numbers: { thousands: ',', decimal: '.' },
  money: (currency, amount) => `${SYMBOLS[currency] ?? `${currency} `}${amount}`,
  days: (text) => `${text} ${text === '1' ? 'day' : 'days'}`,
  below: (text) => `below ${text}`,
  labels: {},

  vocabulary: {
    stage: ['Active', 'Cooling', 'Lapsing', 'Lapsed'],
    value: ['modest-value', 'mid-value', 'high-value'],
    traits: {},
  },

  name: {
    join: ({ bands, trait, comparisons }) => {
      const words = [...bands, ...(trait === null ? [] : [trait]), ...comparisons];
      return words.map((word, i) => (i === 0 ? word : lowerFirst(word))).join(' ');
    },
    comparison: (place, label) =>
      `${{ low: 'lower', middle: 'middling', high: 'higher' }[place]}-${label.replace(/\s+/g, '-')}`,
    nobody: 'Customers',
  },

  description: {
    who: ({ customers, count, share, spendShare }) => {
      const people = `${count} ${customers === 1 ? 'customer' : 'customers'}, ${share} of all`;
      return spendShare === null ? people : `${people}, with ${spendShare} of the spend`;
    },
    typical: ({ label, own, all, isMean }) => `${label} ${own}${isMean ? ' on average' : ''} (all: ${all})`,
    text: ({ who, typical, toDo, notToDo }) =>
      `${who}. Typical: ${typical.join('; ')}. To do: ${toDo}. Not to do: ${notToDo}.`,
  },

  reasons: {
    named: 'named after its figures',
    unbacked: 'no figure tells it apart from another segment',
    kept: 'keeps its name',
    givenOn: 'keeps its name with its id behind it, since another segment is called so by now',
    renewed: (changes) => `keeps its name, which its figures earn under ${changed(changes)}`,
    doubtful: (words, changes) => {
      const claims = `keeps its name, though its figures no longer back ${words.map((word) => `"${word}"`).join(', ')}`;
      return changes.length === 0 ? claims : `${claims} under ${changed(changes)}`;
    },
  },

  byRecency: {
    low: {
      high: {
        toDo: 'thank them, show new things first, ask them to recommend the shop',
        notToDo: 'discount what they buy anyway',
      },
      middle: {
        toDo: 'suggest what goes with their last orders while they are active',
        notToDo: 'send the same message more often to everyone',
      },
      low: {
        toDo: 'help with the next order: what others bought after their first',
        notToDo: 'spend on gifts before the next order',
      },
    },
    middle: {
      high: {
        toDo: 'get in touch in person before they are gone, with what they used to buy',
        notToDo: 'wait for them to come back by themselves',
      },
      middle: {
        toDo: 'remind them with one good reason to return',
        notToDo: 'open with a large discount',
      },
      low: {
        toDo: 'include them in regular news and watch who responds',
        notToDo: 'pay for advertising to reach them',
      },
    },
    high: {
      high: {
        toDo: 'ask what changed and make a personal offer to return',
        notToDo: 'treat them as new customers',
      },
      middle: {
        toDo: 'try one well-timed offer to return',
        notToDo: 'keep the full frequency of messages',
      },
      low: {
        toDo: 'send one inexpensive reminder, then write rarely',
        notToDo: 'count on them in plans or pay to reach them',
      },
    },
  },

  byValue: {
    high: { toDo: 'look after them in person', notToDo: 'discount what they buy anyway' },
    middle: { toDo: 'suggest what goes with their last orders', notToDo: 'open with a large discount' },
    low: { toDo: 'include them in regular news', notToDo: 'spend more on reaching them than they spend' },
  },
};

/** `High-value` -> `high-value`, but `VIP` stays. */
function lowerFirst(word: string): string {
  const second = word.charAt(1);
  return second !== second.toLowerCase() ? word : word.charAt(0).toLowerCase() + word.slice(1);
}

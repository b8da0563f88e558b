import { z } from 'zod';

/** What a feature may be called: a column of artifacts and tables, and a word in expressions. */
export const featureName = z.string().regex(/^[a-z][A-Za-z0-9]{0,62}$/, 'needs a camelCase name');

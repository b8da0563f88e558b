/** Gives the event loop a turn: heartbeats and signals get through between blocks of work. */
export { setImmediate as nextTurn } from 'node:timers/promises';

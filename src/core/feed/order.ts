/**
 * Which of a feed's files that wait comes first.
 * - `arrival` the oldest
 * - `newest`  the newest: each file is the whole, so the older ones are worth nothing once it is in
 */
export type FeedOrder = 'arrival' | 'newest';

import * as z from 'zod';

/**
 * Imported before the first schema is made. zod compiles each object's schema on its first use, which costs 50 ms of
 * every start, and here a schema checks a few values in the life of a process.
 */
z.config({ jitless: true });

import { utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
export const csv = (...rows) => ['id,v', ...rows, ''].join('\n');
/** Writes into the drop of one of the workspace's feeds. */
export function put(ws, feed, name, content) {
    const file = path.join(ws.dir, 'drop', feed, name);
    writeFileSync(file, content);
    return file;
}
/** The whole second `at` (seconds since 1970) as mtime. */
export const setTime = (file, at) => utimesSync(file, at, at);
/** The one report of the feed and path in the round. */
export function reportOf(round, feed, name) {
    const found = round.reports.filter((report) => report.feed === feed && report.path === name);
    if (found.length !== 1 || found[0] === undefined) {
        throw new Error(`${found.length} reports of ${feed}/${name}; there are ${round.reports.map((r) => `${r.feed}/${r.path}:${r.state}`).join(', ')} ${round.stderr}`);
    }
    return found[0];
}
/** `path:state` of a feed's reports, sorted. */
export const states = (round, feed) => round.reports.filter((report) => feed === undefined || report.feed === feed).map((report) => `${report.path}:${report.state}`).sort();
/** First column of every row, as text. */
export async function column(db, sql, ...values) {
    const { rows } = await db.client.query(`select c.first::text from (${sql}) as c(first)`, values);
    return rows.map((row) => row.first);
}
/** The ids in a staging table whose columns are those of csv(). */
export const ids = (db, table) => column(db, `select id from staging.${table} order by 1`);
/** Asks again and again until `look` gives something; fails after `seconds`. A wait, not a measurement. */
export async function until(look, what, seconds = 30) {
    const end = performance.now() + seconds * 1_000;
    for (;;) {
        const found = await look();
        if (found !== null && found !== undefined && found !== false)
            return found;
        if (performance.now() > end)
            throw new Error(`waited ${seconds} s in vain for: ${what}`);
        await sleep(50);
    }
}

/**
 * The page's style: fonts of the machine, light and dark by the reader's setting, paper in light. Nothing is fetched.
 */
export const STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ground:#f5f6f8;--ink:#1b1f24;--soft:#5c6570;--line:#dde1e6;--head:#eef0f3;--bad:#b3261e;--badbg:#fdecea;--ok:#1a7f4b}
@media (prefers-color-scheme:dark){:root{--paper:#1a1d22;--ground:#121418;--ink:#e6e9ee;--soft:#9aa4b0;--line:#30353d;--head:#23272e;--bad:#ff8f85;--badbg:#45201f;--ok:#5fd39a}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Helvetica Neue",Arial,sans-serif;-webkit-text-size-adjust:100%}
main{max-width:96rem;margin:0 auto;padding:2.5rem clamp(1rem,3vw,3rem) 3rem}
h1{font-size:1.65rem;line-height:1.25;margin:0 0 .35rem;overflow-wrap:anywhere;letter-spacing:-.01em}
h2{font-size:1.05rem;margin:2.4rem 0 .2rem}
p{margin:.2rem 0 .8rem;max-width:60rem}
.over,.soft,small{color:var(--soft)}
.over{font-size:.8rem;font-weight:600;letter-spacing:.06em;text-transform:uppercase;margin:0 0 .5rem}
.over bdi{text-transform:none}
.lead{font-size:1.1rem}
.stop{border-left:4px solid var(--bad);background:var(--badbg);padding:.8rem 1rem;border-radius:0 6px 6px 0;margin:1.2rem 0}
.stop p{margin:0}
.tally{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.4rem 0;padding:0;list-style:none}
.tally li{flex:0 1 11rem;min-width:8.5rem;background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:.65rem 1rem}
.tally b{display:block;font-size:1.6rem;line-height:1.3;font-weight:650;font-variant-numeric:tabular-nums}
.tally .refused b{color:var(--bad)}
.tally .loaded b{color:var(--ok)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.2rem;margin:0;font-size:.9rem}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Noto Sans Mono",monospace;font-size:.88em}
.frame{width:fit-content;max-width:100%;overflow:auto;max-height:88vh;background:var(--paper);border:1px solid var(--line);border-radius:8px}
.frame:focus-visible{outline:2px solid var(--bad);outline-offset:2px}
table{border-collapse:separate;border-spacing:0;font-size:.88rem}
th,td{padding:.45rem .75rem;text-align:start;vertical-align:top;border-bottom:1px solid var(--line)}
tbody tr:last-child>*{border-bottom:0}
thead th{position:sticky;top:0;z-index:2;background:var(--head);font-weight:600;white-space:nowrap;unicode-bidi:plaintext}
.n{text-align:end;font-variant-numeric:tabular-nums;white-space:nowrap}
th.n{font-weight:600}
tbody th{font-weight:600;background:var(--paper)}
.c{white-space:pre-wrap;overflow-wrap:anywhere;min-width:5rem;max-width:26rem;unicode-bidi:plaintext;border-inline-start:1px solid var(--line)}
thead th.c{max-width:20rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.eg{white-space:pre-wrap;overflow-wrap:anywhere;min-width:8rem;max-width:26rem}
small{white-space:nowrap}
.raw{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Noto Sans Mono",monospace;font-size:.92em}
.why{min-width:15rem;max-width:24rem;overflow-wrap:anywhere}
.why ul{margin:0;padding:0;list-style:none}
.why li+li{margin-top:.3rem}
.bad{background:var(--badbg);color:var(--bad);font-weight:600;box-shadow:inset 0 0 0 1.5px var(--bad)}
.wide input{margin:0 .4em 0 0;vertical-align:-.1em}
.wide:not(:has(:checked))~.frame .fine{display:none}
.raw.bad{font-weight:400}
.none{font-weight:400;font-style:italic;opacity:.85}
i.u,i.more{font-style:normal;font-size:.78em;border:1px solid currentcolor;border-radius:3px;padding:0 .25em;margin:0 .1em;white-space:nowrap;opacity:.8;unicode-bidi:isolate}
i.more{border:0}
footer{margin-top:2.4rem;padding-top:1rem;border-top:1px solid var(--line);font-size:.85rem;color:var(--soft)}
@media screen and (min-width:60rem){.rows tbody th.n{position:sticky;inset-inline-start:0;z-index:1}}
@media print{
:root{color-scheme:light;--paper:#fff;--ground:#fff;--ink:#000;--soft:#444;--line:#bbb;--head:#eee;--bad:#9c1c15;--badbg:#fdecea;--ok:#14613a}
@page{size:A4 landscape;margin:12mm}
body{font-size:9.5pt;-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{padding:0;max-width:none}
h1{font-size:15pt}
h2,h2~p{break-after:avoid}
.frame{overflow:visible;max-height:none;border-radius:0}
thead{display:table-header-group}
thead th{position:static;white-space:normal}
tbody th{background:none}
tr,.tally,.stop{break-inside:avoid}
.c,thead th.c{min-width:0;max-width:none;white-space:pre-wrap;overflow-wrap:anywhere}
.why{min-width:9rem;max-width:16rem}
.wide~.frame .fine{display:none}
.wide input,.wide label{display:none}
}
`;

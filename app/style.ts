/** Style sheet of the page: light and dark, one screen on a desktop, one column on a phone. */
export const style = `
:root{color-scheme:light dark;--paper:#f5f7fa;--card:#fff;--ink:#0f1c2e;--soft:#55657a;--line:#dce3ec;--sea:#0b6bcb;--wash:#e6f0fb;--deck:#0e1b2c;--foam:#dce8f7}
@media(prefers-color-scheme:dark){:root{--paper:#0a121d;--card:#101b2a;--ink:#e8eff8;--soft:#93a5bb;--line:#1f2e42;--sea:#62b0ff;--wash:#12283f;--deck:#060d16}}
*{box-sizing:border-box;margin:0}
body{background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif;max-width:75rem;min-height:100vh;margin:auto;padding:1.5rem 2rem;}
body,main{display:flex;flex-direction:column;gap:1.25rem}
main{flex:1}
a{color:var(--sea);text-underline-offset:.2em}
:focus-visible{outline:2px solid var(--sea);outline-offset:3px;border-radius:4px}
code,pre,td,th{font-family:ui-monospace,'SF Mono','JetBrains Mono',Menlo,Consolas,monospace;font-size:.8125rem}
header{display:flex;align-items:center;gap:.6rem;font-weight:650;letter-spacing:-.01em}
header svg{width:2rem;height:2rem;fill:var(--sea)}
nav{margin-left:auto;display:flex;gap:1.25rem;font-weight:400}
h1{font-size:clamp(2rem,5vw,3.25rem);line-height:1.1;letter-spacing:-.035em;font-weight:700}
h1 em{font-style:normal;color:var(--sea)}
h2{font-size:1.0625rem;letter-spacing:-.01em}
.lead{color:var(--soft);margin-top:.5rem;max-width:52rem}
.route{list-style:none;padding:0;display:grid;grid-template-columns:1fr auto 1fr auto 1fr}
.route.direct{grid-template-columns:1fr auto 1fr}
.stop{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:.8rem 1.1rem;min-width:0;overflow-wrap:anywhere}
.stop:last-child{background:var(--wash);border-color:var(--sea)}
.stop span{display:block;color:var(--soft);font-size:.8125rem}
.stop b{font-size:1.0625rem;font-weight:600}
.hop{color:var(--soft);font-size:.8125rem;text-align:center;align-self:center}
.hop::after{content:"";display:block;height:2px;min-width:7rem;margin:.2rem 0 1.2rem;background:linear-gradient(90deg,var(--line),var(--sea))}
.hop b{display:block;color:var(--ink);font-weight:600}
.cols{display:grid;grid-template-columns:minmax(0,5fr) minmax(0,6fr);gap:1.25rem;flex:1}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.1rem 1.25rem;display:flex;flex-direction:column;gap:.6rem;min-width:0}
.card p{color:var(--soft);font-size:.875rem}
pre{background:var(--deck);color:var(--foam);border-radius:8px;padding:.75rem 1rem;overflow-x:auto;line-height:1.6}
pre i{font-style:normal;color:#7cc0ff}
.scroll{overflow:auto;flex:1 1 14rem;height:14rem}
table{border-collapse:collapse;width:100%}
td,th{text-align:left;vertical-align:top;padding:.3rem .75rem .3rem 0;border-top:1px solid var(--line);font-weight:400}
tbody th{color:var(--soft);white-space:nowrap}
td{overflow-wrap:anywhere;min-width:9rem}
th[scope=rowgroup]{font:600 .8125rem system-ui,sans-serif;color:var(--sea);border:0;padding-top:.7rem}
tbody:first-child th[scope=rowgroup]{padding-top:0}
@media(max-width:52rem){body{padding:1.25rem}.cols,.route,.route.direct{grid-template-columns:minmax(0,1fr)}.cols{flex:none}.scroll{height:auto;flex:none}.hop{padding-top:.4rem}.hop::after{width:2px;min-width:0;height:1rem;margin:.3rem auto 0;background:var(--sea)}}
`

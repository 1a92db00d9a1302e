/** The look of the management pages: the sky of the waiting page, by night and by day. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--sky:#e9eff3;--card:#f6f9fb;--edge:#d5dfe6;--ink:#16212c;--soft:#52616f;--lit:#b9570b;--glow:#ffc98c;--well:#dde6ec;--bad:#b3261e;--good:#1d7a4c;--rest:#8494a2}
@media (prefers-color-scheme:dark){:root{--sky:#0d151e;--card:#131e29;--edge:#223140;--ink:#e8edf1;--soft:#94a3b1;--lit:#ffb868;--glow:#a4552a;--well:#0d151e;--bad:#ff8a7a;--good:#5fce96;--rest:#5f7183}}
*{box-sizing:border-box;margin:0;padding:0}
body{min-height:100vh;min-height:100svh;padding:clamp(1.1rem,4vw,3rem);background:var(--sky);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
body:before{content:"";position:fixed;inset:0;z-index:-1;opacity:.3;background:radial-gradient(130% 42% at 50% 106%,var(--glow),transparent)}
header,main{max-width:64rem;margin:0 auto}
header{display:flex;justify-content:space-between;align-items:center}
.brand{display:flex;gap:.6rem;align-items:center;font-weight:600;letter-spacing:-.01em}
.brand svg{width:1.25rem;fill:none;stroke:var(--lit);stroke-width:3;stroke-linecap:round}
h1{margin:clamp(1.6rem,6vw,3.4rem) 0 1.6rem;font-size:clamp(1.8rem,5.5vw,2.7rem);line-height:1.12;font-weight:600;letter-spacing:-.025em;text-wrap:balance}
h2{font-size:1.05rem;font-weight:600;letter-spacing:-.01em;overflow-wrap:anywhere}
a{color:inherit;text-decoration-color:var(--rest);text-underline-offset:.2em}
a:hover{text-decoration-color:currentColor}
ul,ol{list-style:none}
.soft,.status,.load,time,footer{color:var(--soft)}
.bad{color:var(--bad)}
code,pre{font:.85em/1.6 ui-monospace,monospace}
.notices{margin-bottom:1.2rem;padding:.8rem 1.2rem;border-left:3px solid var(--lit);background:var(--card);border-radius:.2rem .6rem .6rem .2rem;overflow-wrap:anywhere}
.notices li+li{margin-top:.4rem}
.services{background:var(--card);border:1px solid var(--edge);border-radius:.8rem}
.services>li{display:grid;grid-template-columns:minmax(9rem,1.1fr) minmax(0,2fr) minmax(8rem,1fr) 7.2rem;gap:.3rem 1.4rem;align-items:center;padding:1rem 1.3rem}
.services>li+li{border-top:1px solid var(--edge)}
.status{display:flex;align-items:center;gap:.5rem;font-size:.9rem}
.status i{flex:none;width:.6rem;height:.6rem;border-radius:50%;border:2px solid var(--rest)}
[data-status=awake] i{border-color:var(--good);background:var(--good)}
[data-status=completed] i{border-color:var(--good)}
:is([data-status=degraded],[data-status=draining]) i{border-color:var(--lit);background:linear-gradient(90deg,var(--lit) 50%,transparent 50%)}
[data-status=waking] i{border-color:var(--lit);background:var(--lit);animation:b 1.1s ease-in-out infinite alternate}
[data-status=failed] i{border-color:var(--bad);background:var(--bad);border-radius:.1rem}
@keyframes b{from{opacity:.25}}
.where{display:flex;flex-direction:column;overflow-wrap:anywhere;font-size:.95rem}
.load{font-size:.9rem;font-variant-numeric:tabular-nums}
.do{text-align:right;font-size:.9rem}
.more{grid-column:1/-1;font-size:.9rem;overflow-wrap:anywhere}
.more progress{display:block;width:100%;margin:.3rem 0 .4rem}
progress{appearance:none;height:4px;border:0;border-radius:2px;overflow:hidden;background:var(--edge)}
progress::-webkit-progress-bar{background:var(--edge)}
progress::-webkit-progress-value{background:var(--lit);border-radius:2px}
progress::-moz-progress-bar{background:var(--lit)}
pre{margin-top:.5rem;padding:.7rem 1rem;max-height:14rem;overflow:auto;background:var(--well);color:var(--ink);border-radius:.4rem;white-space:pre-wrap;overflow-wrap:anywhere}
button,.button{display:inline-block;padding:.42rem 1rem;border:1px solid var(--edge);border-radius:.5rem;background:transparent;color:var(--ink);font:inherit;font-size:.9rem;font-weight:550;text-decoration:none;white-space:nowrap;cursor:pointer}
button:hover,.button:hover{border-color:var(--rest);background:var(--sky)}
button[aria-busy]{opacity:.45}
button.quiet{border-color:transparent;color:var(--soft);font-weight:400}
button.main{background:var(--ink);color:var(--sky);border-color:var(--ink);padding:.65rem 1.4rem;font-size:1rem}
button.main:hover{background:var(--ink);opacity:.88}
:focus-visible{outline:3px solid var(--lit);outline-offset:2px}
section{margin-top:2.4rem}
section h2{margin-bottom:.7rem}
.events{font-size:.9rem}
.events li{display:grid;grid-template-columns:4rem minmax(5rem,9rem) minmax(0,1fr);gap:0 1rem;padding:.28rem 0}
.events b{font-weight:550;overflow-wrap:anywhere}
.events span{color:var(--soft);overflow-wrap:anywhere;display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical;overflow:hidden}
time{font-variant-numeric:tabular-nums;text-align:right}
footer{display:flex;flex-wrap:wrap;gap:.2rem 1.5rem;margin-top:2.6rem;font-size:.8rem}
.narrow{max-width:26rem;min-height:80vh;display:flex;flex-direction:column;justify-content:center}
.narrow>p+p,.narrow form+p{margin-top:1.2rem}
.narrow .soft{font-size:.9rem}
.narrow h1{margin:1.4rem 0 1.6rem}
.login{display:grid;gap:.5rem;justify-items:start}
label{font-size:.9rem;font-weight:550}
input{width:100%;padding:.65rem .9rem;border:1px solid var(--rest);border-radius:.5rem;background:var(--card);color:inherit;font:1rem ui-monospace,monospace}
input[aria-invalid]{border-color:var(--bad)}
.login .main{margin-top:.6rem}
@media (max-width:46rem){
.services>li{grid-template-columns:minmax(0,1fr) auto;padding:1rem}
.where,.load{grid-column:1/-1}
.do{grid-area:1/2}
.load:empty{display:none}
.events li{grid-template-columns:3.4rem minmax(0,1fr)}
.events span{grid-column:2}
}
@media (prefers-reduced-motion:reduce){[data-status=waking] i{animation:none}}
`.replace(/\n/g, '');

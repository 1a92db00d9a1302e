/**
 * The script of the waiting page. It hears of every change by an event stream. Where that is silent for a while (a proxy in
 * between, too many pages, a restart) it asks for the status as well, so that nothing keeps it on a page that is over.
 * `location.reload()` keeps the whole address, with what stands after the #.
 * A service that fell asleep again is woken by a reload, but one that failed is not: that would start it over and over.
 */
export const WAITING_SCRIPT = `(()=>{
const root=document.documentElement,at=s=>document.querySelector(s),now=()=>performance.now(),
base='/.well-known/reveille',query='?path='+encodeURIComponent(location.pathname);
let began=now()-root.dataset.elapsed,heard=now(),timer,source;
const go=()=>{source&&source.close();location.reload()},
put=(s,t)=>{const e=at(s);if(e.textContent!==t)e.textContent=t},
tick=()=>{const s=Math.max(0,Math.floor((now()-began)/1e3));put('time',s<60?s+' s':Math.floor(s/60)+' min '+s%60+' s')},
show=s=>{
clearTimeout(timer);
if(s.state==='ready')return go();
if(s.state==='asleep'){if(root.dataset.state!=='failed')timer=setTimeout(go,1e3);return}
root.dataset.state=s.state;
put('h1',s.headline);put('[role=status]',s.text);put('.note',s.note);
document.title=s.text+' · '+s.headline;
if(s.state==='progress'){
root.style.setProperty('--p',s.ratio);at('[role=progressbar]').setAttribute('aria-valuenow',Math.round(s.ratio*100));
if(s.phase)began=now()-s.elapsedMs}
const pre=at('pre'),end=pre.scrollTop+pre.clientHeight>pre.scrollHeight-9;
put('pre',s.lines.join('\\n'));if(end)pre.scrollTop=pre.scrollHeight;
tick()},
listen=()=>{
source&&source.close();source=new EventSource(base+'/events'+query);
for(const n of['progress','ready','failed','asleep'])source.addEventListener(n,e=>{heard=now();show(JSON.parse(e.data))})},
ask=async()=>{
if(now()-heard<3e3)return;
if(source.readyState===2)listen();
try{
const r=await fetch(base+query,{cache:'no-store'});
if(r.status===404)return go();
const{status}=await r.json(),over=/^(awake|degraded|completed)$/;
if(over.test(status))go();
else if(status==='asleep')show({state:'asleep'});
else if(status==='failed'&&root.dataset.state!=='failed')show({state:'failed',headline:at('h1').textContent,text:'It did not start.',note:'',lines:[]})
}catch{}};
at('.again').onclick=e=>{e.preventDefault();go()};
const pre=at('pre');pre.scrollTop=pre.scrollHeight;
listen();tick();setInterval(tick,250);setInterval(ask,2e3)
})()`;

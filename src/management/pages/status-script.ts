/**
 * The script of the status page. It hears of every event and then fetches the page anew, at most every two seconds (an
 * address has a hundred requests a minute), and each ten seconds for what no event tells, such as requests in flight.
 * What is focused stays focused. The styles carry another nonce each time, and are there already.
 */
export const STATUS_SCRIPT = `(()=>{
let asked=0,timer,busy=false;
const live=()=>document.getElementById('live'),
refresh=async()=>{
timer=undefined;if(busy)return soon();busy=true;asked=Date.now();
try{
const r=await fetch('/',{headers:{accept:'text/html'},cache:'no-store'});
if(r.status===401)return location.reload();
if(!r.ok)return;
const d=new DOMParser().parseFromString((await r.text()).replace(/<style.*?<\\/style>/s,''),'text/html'),next=d.getElementById('live');
if(!next)return;
const id=document.activeElement&&document.activeElement.id,here=live();
if(here.innerHTML!==next.innerHTML){here.replaceWith(next);document.title=d.title;
const f=id&&(document.getElementById(id)||document.getElementById(id.replace(/^(wake|sleep)-/,(m,v)=>(v==='wake'?'sleep':'wake')+'-')));if(f)f.focus()}
}catch{}finally{busy=false}},
soon=()=>{timer??=setTimeout(refresh,Math.max(80,asked+2e3-Date.now()))};
new EventSource('/api/events').onmessage=soon;
setInterval(()=>{if(!document.hidden)soon()},1e4);
document.addEventListener('visibilitychange',()=>{if(!document.hidden)soon()});
document.addEventListener('submit',async e=>{
const form=e.target;if(!form.matches('.do'))return;
e.preventDefault();
if(form.dataset.sent)return;form.dataset.sent='1';form.querySelector('button').setAttribute('aria-busy','true');
try{await fetch(form.action,{method:'POST',redirect:'manual'})}catch{}
asked=0;clearTimeout(timer);timer=undefined;refresh()
})
})()`;

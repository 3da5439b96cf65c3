import { Churn } from './churn.ts';
import { Retained } from './retained.ts';
const c = new Churn(1); let t=performance.now(); const lap=(w:string)=>{const n=performance.now();console.log(w,(n-t).toFixed(0),'ms', (process.cpuUsage().user/1e6).toFixed(1));t=n;};
await c.begin(); lap('begin');
for (let i=0;i<6;i++){ await c.minute(); lap('minute'); }
const r=new Retained(); await r.load(); lap('load'); r.heap(); lap('heap'); await r.count(); lap('count');
process.exit();

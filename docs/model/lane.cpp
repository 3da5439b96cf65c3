// Explicit-state BFS of one CapDeployJob lane. See README.md for the abstraction and its soundness argument.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cstdint>
#include <string>
#include <vector>
#include <map>
#include <algorithm>
#include <chrono>
using namespace std; typedef uint8_t u8; typedef uint64_t u64; typedef uint32_t u32;

// ---------- options (scope, then rules) ----------
static map<string,int> O = {
 {"N",2},{"T",2},{"UD",1},{"US",1},{"RD",1},{"POLICY",0},{"MISSED",1},{"FG",0},{"EV",0},{"HR",0},{"KILL",0},{"FREEZE",1},
 {"PUTRV",1},   // claim/record PUT under the CR's resourceVersion
 {"LIVE",1},    // 1: Jobs+Pods of a claim are listed after the RV the claim uses; 0: from a cache
 {"JOBS",1},{"PODS",1},   // claim looks at other Jobs / Pods of the lane
 {"PRV",2},     // resume precondition: 2 uid+rv, 1 uid, 0 name only
 {"DRV",2},     // delete precondition
 {"TOUCH",1},   // un-claim: 1 Job first then status; 0 status only; 2 status first then Job
 {"REC",2},     // crash recovery of a claimed, never started Job: 2 re-claim PUT that moves the RV; 1 re-claim PUT which is a no-op; 3 check CR live after the Job, no PUT; 0 from cache
 {"ABACT",1},   // abort only after active>=1
 {"VTIMER",1},{"VPODS",1},{"VANLIVE",1},  // vanished claim: timer, Pods looked at before release, found by live list
 {"STIMER",1},{"SPODS",1}, // started Job suspended by hand: timer, Pods looked at before release
 {"FPODS",0},              // finished Job: Pods looked at before release
 {"CUID",1},    // claim carries the Job's uid
 {"HDROP",1},   // plan refuses a Job whose id is in history
 {"WM",2},      // 0 none; 1 at claim, id==wm and unclaimed is dropped unrecorded (as written); 2 promoted when claim is released; 3 at claim, id==wm may start
 {"ACK",1},     // DeleteMessage: 0 after create; 1 after status names the request
 {"STARTEDAT",1},{"RECFIRST",1},{"BOUNDED",1},{"ADOPT",1},{"UNK",1},{"AEFQ",1},{"MAXS",60000000},{"ORPHAN",0},{"VWUID",1},{"INTB",1},{"ADOPTW",1},{"REL",1},{"ONLY",31},{"ORD",0},{"ENDING",1},{"ANRV",1},{"TB",1}
};
static int N,T,K,POLICY,MISSED,FG,EV,HR,KILL,FREEZE,PUTRV,LIVE,JOBS,PODS,PRV,DRV,TOUCH,REC,ABACT,VTIMER,VPODS,VANLIVE,STIMER,SPODS,FPODS,CUID,HDROP,WM,ACK,STARTEDAT,RECFIRST,BOUNDED,ADOPT,ORPHAN,ONLY,ORD,ENDING,ANRV,TB,VWUID,INTB;
enum {P_NONE,P_RUN,P_TERM,P_SUCC,P_FAIL,P_GONE};
enum {H_0,H_S,H_F,H_A,H_D,H_U,H_EV};
enum {IDLE,ST_J,ST_P,ST_C,REC_J,RS_J,VA,UN,DR,CL,AB,VW,RB,AD,WD,AN};
struct Th{u8 k,i,inc,x;};
struct S{ u8 ex[3],inc[3],susp[3],sta[3],fin[3],act[3],del[3],h[3],w[3],m[3],st[3],succ[3],tch[3],pc[3],en[3],wi[3],dw[3]; u8 pod[3][3],pend[3][3]; u8 ct,cinc,wm,rd,ud,us,ev; Th t[3]; };
static const u8 NOC=3;
struct Key{u64 a,b,c; bool operator==(const Key&o)const{return a==o.a&&b==o.b&&c==o.c;}};
struct BW{ u64 v[3]={0,0,0}; int p=0; inline void put(u64 x,int n){ int w=p>>6,o=p&63; v[w]|=x<<o; if(o+n>64) v[w+1]|=x>>(64-o); p+=n; } };
struct BR{ const u64*v; int p=0; inline u8 get(int n){ int w=p>>6,o=p&63; u64 x=v[w]>>o; if(o+n>64) x|=v[w+1]<<(64-o); p+=n; return x&((1u<<n)-1);} };
static Key pack(const S&s){ BW b; for(int i=0;i<N;i++){ b.put(s.ex[i],1);b.put(s.inc[i],2);b.put(s.susp[i],1);b.put(s.sta[i],1);b.put(s.fin[i],2);b.put(s.act[i],1);b.put(s.del[i],1);b.put(s.h[i],3);b.put(s.w[i],1);b.put(s.m[i],1);b.put(s.st[i],1);b.put(s.succ[i],1);b.put(s.tch[i],1);b.put(s.pc[i],1);b.put(s.en[i],1);b.put(s.wi[i],2);b.put(s.dw[i],1); for(int k=0;k<K;k++){b.put(s.pod[i][k],3);b.put(s.pend[i][k],1);} }
 b.put(s.ct,2);b.put(s.cinc,2);b.put(s.wm,2);b.put(s.rd,2);b.put(s.ud,2);b.put(s.us,2);b.put(s.ev,1); for(int t=0;t<T;t++){b.put(s.t[t].k,4);b.put(s.t[t].i,2);b.put(s.t[t].inc,2);b.put(s.t[t].x,2);} return {b.v[0],b.v[1],b.v[2]}; }
static S unpack(const Key&k){ S s; memset(&s,0,sizeof s); u64 v[3]={k.a,k.b,k.c}; BR b{v}; for(int i=0;i<N;i++){ s.ex[i]=b.get(1);s.inc[i]=b.get(2);s.susp[i]=b.get(1);s.sta[i]=b.get(1);s.fin[i]=b.get(2);s.act[i]=b.get(1);s.del[i]=b.get(1);s.h[i]=b.get(3);s.w[i]=b.get(1);s.m[i]=b.get(1);s.st[i]=b.get(1);s.succ[i]=b.get(1);s.tch[i]=b.get(1);s.pc[i]=b.get(1);s.en[i]=b.get(1);s.wi[i]=b.get(2);s.dw[i]=b.get(1); for(int q=0;q<K;q++){s.pod[i][q]=b.get(3);s.pend[i][q]=b.get(1);} }
 s.ct=b.get(2);s.cinc=b.get(2);s.wm=b.get(2);s.rd=b.get(2);s.ud=b.get(2);s.us=b.get(2);s.ev=b.get(1); for(int t=0;t<T;t++){s.t[t].k=b.get(4);s.t[t].i=b.get(2);s.t[t].inc=b.get(2);s.t[t].x=b.get(2);} return s; }

struct Succ{S s; string viol; string lab; u8 perm[3];};
static vector<Succ> out; static bool wantLab=false;
static inline u8 hv(const S&s,int i){return s.h[i]==H_EV?0:s.h[i];}
static inline int ci(const S&s,int i){return s.inc[i]-1;}
static inline bool palive(u8 p){return p==P_RUN||p==P_TERM;}
static inline bool running(const S&s,int i){return s.ex[i]&&!s.susp[i]&&!s.fin[i];}
static inline bool waitingJ(const S&s,int i){return s.ex[i]&&!s.del[i]&&s.susp[i]&&!s.fin[i]&&!(STARTEDAT&&s.sta[i]);}
static bool lanePods(const S&s){ for(int i=0;i<N;i++)for(int k=0;k<K;k++) if(palive(s.pod[i][k])) return true; return false; }
static bool otherJobs(const S&s,int i){ for(int j=0;j<N;j++) if(j!=i&&running(s,j)) return true; return false; }
// another Job has ended, or was suspended after its start, and has no record yet: a pass records the one, and waits for the other
static bool otherToRecord(const S&s,int i){ for(int j=0;j<N;j++) if(j!=i&&s.ex[j]&&!hv(s,j)&&((HR>1&&s.fin[j])||(INTB&&s.susp[j]&&s.sta[j]&&!s.fin[j]))) return true; return false; }
static void crW(S&s,int self){ if(!PUTRV) return; for(int t=0;t<T;t++) if(t!=self){ u8 k=s.t[t].k; if(((k==ST_J||k==ST_P||k==AD||(k==AN&&ANRV))&&LIVE)||k==UN||(k==VW&&VANLIVE)) s.t[t]={0,0,0,0}; } }
static void jobW(S&s,int i,int self){ for(int t=0;t<T;t++) if(t!=self&&s.t[t].i==i){ u8 k=s.t[t].k; if(((k==AN||k==AB)&&DRV==2)||((k==ST_J&&!ORD)||k==ST_P||k==ST_C||(k==RB&&REC==3))&&PRV==2) s.t[t]={0,0,0,0}; } }
static void removeJob(S&s,int i,int self){ int c=ci(s,i); s.ex[i]=s.susp[i]=s.sta[i]=s.fin[i]=s.act[i]=s.del[i]=0; jobW(s,i,self); if(!palive(s.pod[i][c])) s.pod[i][c]=P_NONE; }
static void promote(S&s,int i){ if(WM==2&&s.wm<i+1) s.wm=i+1; }
static const char*HN[]={"-","Succeeded","Failed","Aborted","Dropped","Unknown","(evicted)"};

static void emit(S s,const char*lab,string viol=""){
  // canonical form
  for(int i=0;i<N;i++){ if(s.ct!=i) s.en[i]=0; if(!s.w[i]) s.wi[i]=0; }
  for(int t=0;t<T;t++){ Th&q=s.t[t]; if(q.k==IDLE) q={0,0,0,0}; }
  // threads doomed by monotone facts go idle
  for(int t=0;t<T;t++){ Th&q=s.t[t]; if((q.k==REC_J||q.k==DR||q.k==VW||q.k==RS_J)&&hv(s,q.i)&&RECFIRST&&PUTRV) q={0,0,0,0}; if(PUTRV&&(q.k==VA)&&!(s.ct==q.i&&(!CUID||s.cinc==q.inc))) { if(VANLIVE) q={0,0,0,0}; } }
  u8 pm[3]={0,1,2}; for(int a=0;a<T;a++)for(int b=a+1;b<T;b++){ if(memcmp(&s.t[b],&s.t[a],4)<0) {swap(s.t[a],s.t[b]);swap(pm[a],pm[b]);} }
  for(int i=0;i<N;i++) for(int k=0;k<K;k++) if(s.pod[i][k]==P_GONE&&!(s.ex[i]&&ci(s,i)==k)) s.pod[i][k]=P_NONE;
  if(viol.empty()){ // state checks
    int al=0; for(int i=0;i<N;i++)for(int k=0;k<K;k++){ bool a=palive(s.pod[i][k])||(running(s,i)&&ci(s,i)==k); al+=a; }
    if(al>1) viol="I3 two alive deploys in the lane";
    for(int i=0;i<N&&viol.empty();i++){
      if(s.h[i]==H_S&&!s.succ[i]) viol="I7 Succeeded recorded, Job did not succeed";
      if(s.h[i]==H_D&&s.st[i]) viol="I7 recorded Superseded/Missed, but it was started";
      if((s.h[i]==H_A||s.h[i]==H_U)&&!s.tch[i]) viol="I7 recorded Aborted/Unknown, but nobody touched it";
      if(!s.m[i]&&s.h[i]==0&&!s.ex[i]&&s.ct!=i&&!s.w[i]){ bool hold=false; for(int t=0;t<T;t++) if(s.t[t].k==DR&&s.t[t].i==i&&!RECFIRST) hold=true; if(!hold) viol="I1 request lost (no message, Job, claim, status or history knows it)"; }
    }
  }
  if(!viol.empty()){ int b=viol[0]=='I'?(viol[1]=='1'?1:viol[1]=='3'?2:viol[1]=='4'?4:8):16; if(!(ONLY&b)) viol.clear(); }
  out.push_back({s,viol,wantLab?string(lab):string(),{pm[0],pm[1],pm[2]}});
}
static char L[256];
#define LAB(...) (wantLab?(snprintf(L,sizeof L,__VA_ARGS__),L):"")

static void putH(S&s,int i,u8 v,string&viol){ if(s.h[i]!=0&&s.h[i]!=H_EV) viol="I1 second history entry"; s.h[i]=v; s.w[i]=0; }
static void resume(S&n,int i,int t,string&viol){ // PATCH suspend=false, started-at
  int c=ci(n,i); if(n.susp[i]&&!n.fin[i]){ if(n.dw[i]&&n.h[i]!=H_EV) viol="I1 started though its Job was deleted while it waited, listed in the status"; if(n.st[i]) viol="I1 request started twice (second resume)"; for(int j=i+1;j<N;j++) if(n.st[j]) viol="I4 started though a later-due one has started"; n.pend[i][c]=1; n.st[i]=1; }
  n.susp[i]=0; n.sta[i]=1; jobW(n,i,t); }
static bool crStart(const S&s,int i,int inc){ // may the plan start i, judged by the CR
  bool own = s.ct==i&&(!CUID||s.cinc==inc)&&(REC==1||REC==2);
  if(!(s.ct==NOC||own)) return false; if(HDROP&&hv(s,i)) return false; if(VWUID&&s.w[i]&&s.wi[i]!=inc+1) return false;
  if(WM==1&&!(i+1>s.wm||own)) return false; if(WM==2&&!(i+1>s.wm)) return false; if(WM==3&&!(i+1>=s.wm)) return false; return true; }

static void succ(const S&s){
  out.clear(); string v;
  // ---- intake ----
  for(int i=0;i<N;i++){
    bool re=s.inc[i]>0&&hv(s,i); // re-creation of a known one costs redelivery budget
    if(!s.ex[i]&&s.inc[i]<K){
      if(s.m[i]&&!(re)) { S n=s; n.inc[i]++; n.ex[i]=1;n.susp[i]=1; emit(n,LAB("intake: create Job R%d (uid %d)",i,n.inc[i])); }
      else if(s.rd>0&&s.inc[i]>0) { S n=s; n.rd--; n.inc[i]++; n.ex[i]=1;n.susp[i]=1; emit(n,LAB("intake: REDELIVERED message of R%d: create Job (uid %d)",i,n.inc[i])); }
    }
    if(s.m[i]&&s.inc[i]>0){ bool noted=s.w[i]||s.ct==i||s.h[i]; if(noted||!ACK){ S n=s; n.m[i]=0; emit(n,LAB("intake: DeleteMessage R%d",i)); } }
  }
  // ---- user ----
  for(int i=0;i<N;i++) if(s.ex[i]&&!s.h[i]&&!s.del[i]){
    if(s.ud>0&&(HR<2||!s.st[i]||s.sta[i])){ S n=s; n.ud--; n.tch[i]=1; if(s.w[i]&&s.wi[i]==s.inc[i]&&!s.st[i]) n.dw[i]=1; removeJob(n,i,-1); emit(n,LAB("USER deletes Job R%d (uid %d)",i,s.inc[i]));
      if(FG){ S n=s; n.ud--; n.tch[i]=1; n.del[i]=1; jobW(n,i,-1); emit(n,LAB("USER deletes Job R%d (foreground)",i)); } }
    if(s.us>0&&running(s,i)&&(HR<2||s.sta[i])){ S n=s; n.us--; n.tch[i]=1; n.susp[i]=1; jobW(n,i,-1); emit(n,LAB("USER suspends running Job R%d",i)); }
    if(HR&&s.us>0&&(s.ct==NOC||(HR>1&&s.ct!=i&&waitingJ(s,s.ct)))&&waitingJ(s,i)&&!otherJobs(s,i)&&!lanePods(s)){ bool q=true; for(int t=0;t<T;t++){u8 k=s.t[t].k; if(k==ST_J||k==ST_P||k==ST_C||k==AD||k==RB||(HR>1&&k!=IDLE)) q=false;} for(int j=i+1;j<N;j++) if(s.st[j]) q=false; for(int j=0;j<N;j++)for(int c=0;c<K;c++) if(s.pend[j][c]) q=false;
      if(q){ S n=s; n.us--; n.tch[i]=1; n.susp[i]=0; n.st[i]=1; n.pend[i][ci(s,i)]=1; jobW(n,i,-1); emit(n,LAB("USER resumes waiting Job R%d by hand",i)); } }
  }
  if(s.ev>0) for(int i=0;i<N;i++) if(s.h[i]&&s.h[i]!=H_EV&&s.ct!=i){ S n=s; n.ev--; n.h[i]=H_EV; crW(n,-1); emit(n,LAB("history entry of R%d pushed out by 50 newer",i)); }
  // ---- Job controller, garbage collector, kubelet ----
  for(int i=0;i<N;i++) for(int k=0;k<K;k++){
    bool cur=s.ex[i]&&ci(s,i)==k; u8 p=s.pod[i][k];
    if(s.pend[i][k]){
      { S n=s; n.pend[i][k]=0; v.clear(); if(s.pc[i]) v="I1 second Pod for one request"; n.pc[i]=1; n.pod[i][k]=P_RUN; emit(n,LAB("JobController creates Pod of R%d (uid %d)%s",i,k+1,cur&&running(s,i)?"":" -- LATE, Job is gone/suspended"),v); }
      if(!(cur&&running(s,i))){ S n=s; n.pend[i][k]=0; emit(n,LAB("JobController notices that R%d (uid %d) is gone/suspended: no Pod",i,k+1)); }
      if(cur&&running(s,i)&&p==P_NONE){ S n=s; n.pend[i][k]=0; n.fin[i]=2; n.act[i]=0; jobW(n,i,-1); emit(n,LAB("JobController: R%d Failed (deadline, no Pod)",i)); }
    }
    if(p==P_RUN){
      { S n=s; n.pod[i][k]=P_SUCC; n.succ[i]=1; if(!cur) n.pod[i][k]=P_NONE; emit(n,LAB("Pod of R%d (uid %d) succeeds",i,k+1)); }
      { S n=s; n.pod[i][k]=P_FAIL; if(!cur) n.pod[i][k]=P_NONE; emit(n,LAB("Pod of R%d (uid %d) fails",i,k+1)); }
      if((!cur&&!ORPHAN)||(cur&&s.del[i])){ S n=s; n.pod[i][k]=P_TERM; emit(n,LAB("garbage collector deletes Pod of R%d (uid %d)",i,k+1)); }
      if(cur&&s.susp[i]&&!s.fin[i]){ S n=s; n.pod[i][k]=P_TERM; n.act[i]=0; jobW(n,i,-1); emit(n,LAB("JobController deletes Pod of suspended R%d",i)); }
      if(KILL&&cur){ S n=s; n.pod[i][k]=P_TERM; emit(n,LAB("Pod of R%d is evicted",i)); }
      if(cur&&running(s,i)&&!s.act[i]){ S n=s; n.act[i]=1; jobW(n,i,-1); emit(n,LAB("JobController: R%d status.active=1",i)); }
    }
    if(p==P_TERM){ S n=s; n.pod[i][k]=P_GONE; emit(n,LAB("Pod of R%d (uid %d) has terminated",i,k+1)); }
    if(cur&&!s.fin[i]&&(p==P_SUCC||p==P_FAIL||(p==P_GONE&&!s.susp[i]))){ S n=s; n.fin[i]=(p==P_SUCC)?1:2; n.act[i]=0; jobW(n,i,-1); emit(n,LAB("JobController: R%d %s",i,p==P_SUCC?"Complete":"Failed")); }
    if(cur&&s.del[i]&&!palive(p)){ S n=s; removeJob(n,i,-1); emit(n,LAB("garbage collector removes Job R%d",i)); }
  }
  // ---- operators' passes ----
  bool idleDone=false;
  for(int t=0;t<T;t++){ Th q=s.t[t]; int i=q.i; const char*on=t==0?"A":t==1?"B":"C";
    if(q.k!=IDLE){ S n=s; n.t[t]={0,0,0,0}; emit(n,LAB("op %s: crashes / gives up its pass",on)); }
    switch(q.k){
    case IDLE: { if(idleDone) break; idleDone=true;
      for(int i=0;i<N;i++){ int c=ci(s,i); u8 C=(u8)(c<0?0:c);
        // start: live Jobs list
        if(waitingJ(s,i)&&(ORD||!JOBS||!otherJobs(s,i))&&!otherToRecord(s,i)&&(!ORD||!PODS||!lanePods(s))&&(!(LIVE||!PUTRV)||crStart(s,i,c))){ S n=s; n.t[t]={ST_J,(u8)i,C,0}; emit(n,LAB("op %s: %s; Jobs list%s: R%d (uid %d) can start",on,LIVE?"reads CR RV":"(CR to be read later)",LIVE?" live":" from cache",i,c+1)); }
        if(REC==0&&s.ct==i){ S n=s; n.t[t]={RB,(u8)i,s.cinc,0}; emit(n,LAB("op %s: CR in cache: claim R%d",on,i)); }
        if(REC==3&&waitingJ(s,i)){ S n=s; n.t[t]={RB,(u8)i,C,0}; emit(n,LAB("op %s: Job read: R%d never started (for recovery)",on,i)); }
        // record finished (Job from cache)
        if(s.ex[i]&&s.fin[i]&&!hv(s,i)){ S n=s; n.t[t]={REC_J,(u8)i,C,s.fin[i]}; emit(n,LAB("op %s: sees R%d finished",on,i)); }
        // started and suspended by hand
        if(STARTEDAT&&s.ex[i]&&s.susp[i]&&s.sta[i]&&!s.fin[i]&&!hv(s,i)){ S n=s; n.t[t]={RS_J,(u8)i,C,0}; emit(n,LAB("op %s: sees R%d started-at and suspended: aborted by hand",on,i)); }
        // vanished claim
        if(VANLIVE?(s.ct==i&&!(s.ex[i]&&(!CUID||s.cinc==c))):(!s.ex[i])){ S n=s; n.t[t]={VA,(u8)i,VANLIVE?s.cinc:(u8)0,0}; emit(n,LAB("op %s: Jobs %s: R%d is not there",on,VANLIVE?"live, claim read":"from cache",i)); }
        // un-claim
        if(FREEZE&&s.ct==i&&s.ex[i]&&(!CUID||s.cinc==c)&&waitingJ(s,i)){ S n=s; n.t[t]={UN,(u8)i,C,0}; emit(n,LAB("op %s: claim R%d never started, frozen since: un-claim begins",on,i)); }
        // drop waiting (OutOfOrder, Superseded, Missed)
        if(waitingJ(s,i)&&!hv(s,i)){ bool newer=false; for(int j=i+1;j<N;j++) if(waitingJ(s,j)&&!hv(s,j)) newer=true; bool r=MISSED||(POLICY>=1&&newer);
          if(RECFIRST){ S n=s; n.t[t]={DR,(u8)i,C,(u8)(r?1:0)}; if(r||s.wm>i+1) emit(n,LAB("op %s: sees R%d waiting, to be dropped",on,i)); }
          else if(s.ct!=i&&(r||s.wm>i+1)){ S n=s; removeJob(n,i,t); n.t[t]={DR,(u8)i,C,1}; emit(n,LAB("op %s: DELETE dropped R%d before recording",on,i)); } }
        // delete recorded
        if(s.ex[i]&&!s.del[i]&&hv(s,i)&&(s.fin[i]||s.susp[i])){ if(DRV==2){ S n=s; removeJob(n,i,t); emit(n,LAB("op %s: DELETE recorded Job R%d (%s)",on,i,s.fin[i]?"finished":"waiting/suspended")); } else { S n=s; n.t[t]={CL,(u8)i,C,0}; emit(n,LAB("op %s: sees recorded R%d, will delete",on,i)); } }
        if((WM==1||(WM==2&&s.h[i]==H_EV))&&s.wm==i+1&&s.ct!=i&&waitingJ(s,i)){ S n=s; removeJob(n,i,t); emit(n,LAB("op %s: DELETE R%d: its id is the watermark's, unclaimed",on,i)); }
        // abort (Replace)
        if(POLICY==2&&running(s,i)&&s.ct==i&&!s.del[i]&&(!ABACT||s.act[i])){ bool newer=false; for(int j=i+1;j<N;j++) if(waitingJ(s,j)&&!hv(s,j)) newer=true; if(newer&&ENDING){ S n=s; n.t[t]={AN,(u8)i,C,0}; emit(n,LAB("op %s: Replace: reads CR RV, Job R%d runs, a newer one waits",on,i)); } else if(newer){ S n=s; if(DRV==2){ n.tch[i]=1; removeJob(n,i,t); emit(n,LAB("op %s: Replace: DELETE running R%d",on,i)); } else { n.t[t]={AB,(u8)i,C,0}; emit(n,LAB("op %s: Replace: will delete R%d",on,i)); } } }
        if(ENDING&&POLICY==2&&s.ct==i&&s.en[i]&&running(s,i)&&!s.del[i]){ S n=s; n.en[i]=0; if(TB) jobW(n,i,t); crW(n,t); emit(n,LAB("op %s: PUT claim R%d: announcement taken back",on,i)); }
        // note in status.waiting
        if(s.ex[i]&&!s.w[i]&&!hv(s,i)&&s.ct!=i){ S n=s; n.w[i]=1; n.wi[i]=s.inc[i]; crW(n,t); emit(n,LAB("op %s: PUT status: waiting += R%d",on,i)); }
        // noted, gone; or another one under its name
        if((!s.ex[i]||(VWUID&&s.w[i]&&s.wi[i]!=s.inc[i]&&waitingJ(s,i)))&&(!VANLIVE||(s.w[i]&&!hv(s,i)&&s.ct!=i))){ S n=s; n.t[t]={VW,(u8)i,0,0}; emit(n,LAB("op %s: Jobs %s: noted R%d is not there",on,VANLIVE?"live":"from cache",i)); }
        // release a claim whose outcome is recorded already and whose Job is not running
        // mark a Job resumed by hand
        if(HR>1&&STARTEDAT&&running(s,i)&&!s.sta[i]&&!hv(s,i)){ S n=s; n.sta[i]=1; jobW(n,i,t); emit(n,LAB("op %s: PATCH started-at of R%d, which somebody resumed",on,i)); }
        // adopt a Job resumed by hand
        if(HR&&ADOPT&&s.ct==NOC&&running(s,i)&&!hv(s,i)){ S n=s; n.ct=i; n.cinc=C; n.w[i]=0; if(WM==1||WM==3) if(n.wm<i+1) n.wm=i+1; crW(n,t); emit(n,LAB("op %s: PUT claim=R%d (adopts the Job resumed by hand)",on,i)); }
      } } break;
    case ST_J: if(ORD){ if(waitingJ(s,i)&&(!JOBS||!otherJobs(s,i))&&(!LIVE||crStart(s,i,ci(s,i)))){ S n=s; n.t[t].k=ST_P; n.t[t].inc=ci(s,i); emit(n,LAB("op %s: Jobs list: lane free, R%d can start",on,i)); } break; }
      if(!PODS||!lanePods(s)){ S n=s; n.t[t].k=ST_P; emit(n,LAB("op %s: Pods list: lane free",on)); } break;
    case ST_P: if(!PUTRV||crStart(s,i,q.inc)){ S n=s; bool noop=s.ct==i&&s.cinc==q.inc&&REC==1; n.ct=i; n.cinc=q.inc; n.w[i]=0; if(WM==1||WM==3) if(n.wm<i+1) n.wm=i+1; if(!noop) crW(n,t); n.t[t].k=ST_C; emit(n,LAB("op %s: PUT claim=R%d (uid %d)%s",on,i,q.inc+1,noop?" (no change: RV stays)":"")); } break;
    case ST_C: { bool ok=s.ex[i]&&(PRV==0||ci(s,i)==q.inc); S n=s; n.t[t]={0,0,0,0}; v.clear(); if(ok){ resume(n,i,t,v); emit(n,LAB("op %s: PATCH resume R%d",on,i),v);} } break;
    case RB: if(REC==0){ if(waitingJ(s,i)&&(!CUID||ci(s,i)==q.inc)){ S n=s; n.t[t]={0,0,0,0}; v.clear(); resume(n,i,t,v); emit(n,LAB("op %s: PATCH resume claimed R%d (Job fresh, CR from cache)",on,i),v);} }
      else if(q.x==0){ if(s.ct==i&&(!CUID||s.cinc==q.inc)){ S n=s; n.t[t].x=1; emit(n,LAB("op %s: GET CR live: claim is R%d still",on,i)); } }
      else { bool ok=s.ex[i]&&(PRV==0||ci(s,i)==q.inc); if(ok){ S n=s; n.t[t]={0,0,0,0}; v.clear(); resume(n,i,t,v); emit(n,LAB("op %s: PATCH resume claimed R%d",on,i),v);} } break;
    case REC_J: if(FPODS&&!(q.x&4)&&lanePods(s)) break; if(!hv(s,i)||!PUTRV){ S n=s; v.clear(); bool ev=s.h[i]==H_EV; putH(n,i,q.x==1?H_S:H_F,v); if(ev){ v.clear(); n.h[i]=H_EV; } if(s.ct==i&&(!CUID||s.cinc==q.inc)) n.ct=NOC,n.cinc=0; promote(n,i); n.t[t]={0,0,0,0}; crW(n,t); emit(n,LAB("op %s: PUT history R%d=%s, claim released",on,i,HN[n.h[i]]),v); } break;
    case RS_J: { int c=q.inc; if(q.x==0){ if(!STIMER||!BOUNDED||!s.pend[i][c]){ S n=s; n.t[t].x=1; emit(n,LAB("op %s: %s",on,STIMER?"30 s have passed":"(no timer)")); } }
      else if(q.x==1){ if(!SPODS||!lanePods(s)){ S n=s; n.t[t].x=2; emit(n,LAB("op %s: %s",on,SPODS?"Pods list live: none alive":"(Pods not looked at)")); } }
      else if((!hv(s,i)||!PUTRV)){ S n=s; v.clear(); putH(n,i,H_A,v); if(s.ct==i&&(!CUID||s.cinc==q.inc)) n.ct=NOC,n.cinc=0; promote(n,i); n.t[t]={0,0,0,0}; crW(n,t); emit(n,LAB("op %s: PUT history R%d=Aborted, claim released",on,i),v); } } break;
    case VA: { int c=q.inc; if(q.x==0){ if(!VTIMER||!BOUNDED||!s.pend[i][c]){ S n=s; n.t[t].x=1; emit(n,LAB("op %s: %s",on,VTIMER?"30 s have passed":"(no timer)")); } }
      else if(q.x==1){ if(!VPODS||!lanePods(s)){ S n=s; n.t[t].x=2; emit(n,LAB("op %s: %s",on,VPODS?"Pods list live: none alive":"(Pods not looked at)")); } }
      else if(s.ct==i&&(!CUID||!VANLIVE||s.cinc==q.inc)){ S n=s; v.clear(); if(!hv(s,i)) putH(n,i,H_U,v); n.ct=NOC; n.cinc=0; promote(n,i); n.t[t]={0,0,0,0}; crW(n,t); emit(n,LAB("op %s: PUT history R%d=Unknown/Aborted, claim released",on,i),v); } } break;
    case UN: if(TOUCH==1&&q.x==0){ if(waitingJ(s,i)&&ci(s,i)==q.inc){ S n=s; jobW(n,i,t); n.t[t].x=1; emit(n,LAB("op %s: un-claim: writes Job R%d (its RV moves)",on,i)); } }
      else if(q.x==2){ S n=s; n.t[t]={0,0,0,0}; if(s.ex[i]) jobW(n,i,t); emit(n,LAB("op %s: un-claim: writes Job R%d after status",on,i)); }
      else if(s.ct==i&&(!CUID||s.cinc==q.inc)){ S n=s; n.ct=NOC; n.cinc=0; if(!s.h[i]) n.w[i]=1,n.wi[i]=q.inc+1; if(TOUCH==2) n.t[t].x=2; else n.t[t]={0,0,0,0}; crW(n,t); emit(n,LAB("op %s: PUT status: claim R%d removed",on,i)); } break;
    case DR: if(s.ct!=i&&(!hv(s,i)||!PUTRV)&&(q.x||s.wm>i+1)){ S n=s; v.clear(); bool ev=s.h[i]==H_EV; putH(n,i,H_D,v); if(ev){ v.clear(); n.h[i]=H_EV; } n.t[t]={0,0,0,0}; crW(n,t); emit(n,LAB("op %s: PUT history R%d=Superseded/Missed",on,i),v); } break;
    case CL: { bool ok=s.ex[i]&&(DRV==0||ci(s,i)==q.inc); if(ok){ S n=s; n.t[t]={0,0,0,0}; removeJob(n,i,t); if(!s.h[i]) n.tch[i]=1; emit(n,LAB("op %s: DELETE Job R%d (recorded)",on,i)); } } break;
    case AN: if(s.ct==i&&(!CUID||s.cinc==q.inc)){ S n=s; n.en[i]=1; crW(n,t); n.t[t].k=AB; emit(n,LAB("op %s: PUT claim R%d: ending=Replaced",on,i)); } break;
    case AB: { bool ok=s.ex[i]&&(DRV==0||ci(s,i)==q.inc); if(ok){ S n=s; v.clear(); if(!hv(s,i)&&s.fin[i]) v="I6 deleted a finished Job whose outcome is not recorded"; if(!hv(s,i)&&ci(s,i)!=q.inc) v="I6 deleted another Job than the one judged"; if(ENDING&&!s.en[i]) v="I7 aborted, though the announcement was taken back"; n.t[t]={0,0,0,0}; n.tch[i]=1; removeJob(n,i,t); emit(n,LAB("op %s: DELETE Job R%d (Replace)",on,i),v); } } break;
    case VW: if(s.w[i]&&!hv(s,i)&&s.ct!=i){ S n=s; v.clear(); putH(n,i,H_A,v); n.t[t]={0,0,0,0}; crW(n,t); emit(n,LAB("op %s: PUT history R%d=Aborted (deleted while waiting)",on,i),v); } break;
    }
  }
}
static bool quiet(const S&s){ for(int t=0;t<T;t++) if(s.t[t].k) return false; if(s.ct!=NOC) return false; for(int i=0;i<N;i++){ if(s.m[i]||!s.h[i]) return false; for(int k=0;k<K;k++) if(palive(s.pod[i][k])||s.pend[i][k]) return false; if(running(s,i)) return false; if(s.ex[i]&&!s.fin[i]) return false; } return true; }
static void show(const S&s){ printf("      CR{claim=%s%d wm=%d", s.ct==NOC?"-":"R", s.ct==NOC?0:s.ct, s.wm); for(int i=0;i<N;i++) printf(" h%d=%s%s",i,HN[s.h[i]],s.w[i]?"(w)":""); printf("}"); for(int i=0;i<N;i++){ printf(" R%d[",i); if(s.ex[i]) printf("Job uid%d%s%s%s%s%s",s.inc[i],s.susp[i]?" susp":" UNSUSP",s.sta[i]?" started":"",s.fin[i]==1?" Complete":s.fin[i]==2?" Failed":"",s.act[i]?" act":"",s.del[i]?" del":""); else printf("no Job"); for(int k=0;k<K;k++) if(s.pod[i][k]||s.pend[i][k]) printf(" pod%d=%d%s",k+1,s.pod[i][k],s.pend[i][k]?"+pend":""); printf(" msg=%d]",s.m[i]); } printf("\n"); }

static inline u64 hk(const Key&k){ u64 h=k.a*0x9E3779B97F4A7C15ull; h^=h>>29; h+=k.b; h*=0xBF58476D1CE4E5B9ull; h^=h>>32; h+=k.c; h*=0x94D049BB133111EBull; h^=h>>31; return h; }
int main(int ac,char**av){
  bool verbose=false; for(int a=1;a<ac;a++){ string x=av[a]; if(x=="-v"){verbose=true;continue;} size_t e=x.find('='); string k=x.substr(0,e); if(!O.count(k)){fprintf(stderr,"unknown option %s\n",k.c_str());return 2;} O[k]=atoi(x.c_str()+e+1); }
#define G(n) n=O[#n]
  G(N);G(T);G(POLICY);G(MISSED);G(FG);G(EV);G(HR);G(KILL);G(FREEZE);G(PUTRV);G(LIVE);G(JOBS);G(PODS);G(PRV);G(DRV);G(TOUCH);G(REC);G(ABACT);G(VTIMER);G(VPODS);G(VANLIVE);G(STIMER);G(SPODS);G(FPODS);G(CUID);G(HDROP);G(WM);G(ACK);G(STARTEDAT);G(RECFIRST);G(BOUNDED);G(ADOPT);G(ORPHAN);G(ONLY);G(ORD);G(ENDING);G(ANRV);G(TB);G(VWUID);G(INTB);
  if(!BOUNDED){VTIMER=STIMER=0;}
  K=min(3,1+O["UD"]+O["RD"]);
  S s0; memset(&s0,0,sizeof s0); for(int i=0;i<N;i++) s0.m[i]=1; s0.ct=NOC; s0.rd=O["RD"]; s0.ud=O["UD"]; s0.us=O["US"]; s0.ev=EV;
  auto t0=chrono::steady_clock::now();
  vector<Key> st; vector<u32> par; size_t cap=1<<22; vector<u32> ht(cap,0);
  auto find=[&](const Key&k,bool ins,u32 p)->long{ size_t h=hk(k)&(cap-1); while(ht[h]){ if(st[ht[h]-1]==k) return ht[h]-1; h=(h+1)&(cap-1);} if(!ins) return -1; st.push_back(k); par.push_back(p); ht[h]=st.size(); if(st.size()*2>cap){ cap*=2; ht.assign(cap,0); for(size_t q=0;q<st.size();q++){ size_t z=hk(st[q])&(cap-1); while(ht[z]) z=(z+1)&(cap-1); ht[z]=q+1; } } return -2; };
  { emit(s0,""); s0=out[0].s; } find(pack(s0),true,0);
  auto trace=[&](u32 at,const string&last,const S*fin){ vector<u32> p; for(u32 x=at;;x=par[x]){ p.push_back(x); if(x==0)break; } reverse(p.begin(),p.end()); wantLab=true; int no=1; string nm="ABC"; auto fix=[&](string l){ for(size_t z=0;z+3<l.size();z++) if(l.compare(z,3,"op ")==0&&l[z+4]==':'){ l[z+3]=nm[l[z+3]-'A']; break; } return l; };
    for(size_t q=0;q+1<p.size();q++){ succ(unpack(st[p[q]])); Key want=st[p[q+1]]; for(auto&o:out) if(pack(o.s)==want){ printf("  %2d. %s\n",no++,fix(o.lab).c_str()); string n2=nm; for(int z=0;z<T;z++) n2[z]=nm[o.perm[z]]; nm=n2; if(verbose) show(o.s); break; } }
    if(fin){ printf("  %2d. %s\n",no,fix(last).c_str()); if(verbose) show(*fin);} wantLab=false; };
  size_t edges=0,nq=0; bool bounded=false; size_t depthEnd=1; int depth=0;
  for(size_t x=0;x<st.size();x++){ if(x==depthEnd){depth++;depthEnd=st.size();} S s=unpack(st[x]); succ(s); edges+=out.size(); if(quiet(s)) nq++;
    for(size_t q=0;q<out.size();q++){ if(!out[q].viol.empty()){ string v=out[q].viol; wantLab=true; succ(s); wantLab=false; double el=chrono::duration<double>(chrono::steady_clock::now()-t0).count(); string lab=out[q].lab; S f=out[q].s; printf("VIOLATION %s  (depth %d, %zu states, %.1fs)\n",v.c_str(),depth+1,st.size(),el); trace(x,lab,&f); return 1; }
      find(pack(out[q].s),true,x); }
    if(st.size()>(size_t)O["MAXS"]){ bounded=true; break; } }
  double el=chrono::duration<double>(chrono::steady_clock::now()-t0).count();
  printf("%s states=%zu edges=%zu depth=%d quiescent=%zu %.1fs",bounded?"BOUNDED(no violation so far)":"CLEAN(safety)",st.size(),edges,depth,nq,el);
  if(!bounded&&O["AEFQ"]){ vector<bool> good(st.size()); bool ch=true; int pass=0; for(size_t x=0;x<st.size();x++) if(quiet(unpack(st[x]))) good[x]=true;
    while(ch){ ch=false; pass++; for(size_t x=st.size();x-->0;) if(!good[x]){ succ(unpack(st[x])); for(auto&o:out){ long y=find(pack(o.s),false,0); if(y>=0&&good[y]){ good[x]=true; ch=true; break; } } } }
    size_t bad=0,first=0; for(size_t x=st.size();x-->0;) if(!good[x]){bad++;first=x;}
    if(bad){ printf("\nVIOLATION LIVENESS: %zu states from which quiescence is unreachable; first:\n",bad); trace(first,"",nullptr); show(unpack(st[first])); return 1; }
    printf(" AG-EF-quiescent ok (%d passes, %.1fs)",pass,chrono::duration<double>(chrono::steady_clock::now()-t0).count()); }
  printf("\n"); return 0; }

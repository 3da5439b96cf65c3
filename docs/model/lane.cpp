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
// Each is an int of the same name. OPTIONS(X) lists them with their defaults.
#define OPTIONS(X) \
  X(N,2) X(T,2) X(UD,1) X(US,1) X(RD,1) X(POLICY,0) X(MISSED,1) X(FG,0) X(EV,0) X(HR,0) X(FREEZE,1) X(MAXS,60000000) X(AEFQ,1) \
  X(ONLY,63)   /* which invariants count: 1 I1, 2 I3, 4 I4, 8 I6 and I7, 16 others, 32 I8 */ \
  X(STRICT,0)  /* 1: I7 makes no exception for a Complete Job whose Pod is not seen: shows what that lets through */ \
  /* what becomes of a Pod */ \
  X(SC,1)      /* side-cars: the Pod may live on after cap has ended, and may fail by itself */ \
  X(SCEND,1)   /* side-cars may end by themselves; 0: only when their Pod is told to */ \
  X(TRAP,1)    /* cap may end with 0 after the order to end */ \
  X(ORPHAN,1)  /* people may delete a Job and orphan its Pod (no propagationPolicy); each delete does it or not */ \
  X(DL,1)      /* the deadline may end a Pod that runs, and may win over one that has ended. 2: after a suspend, too */ \
  X(LETGO,1)   /* the Job controller lets go of a Pod (takes its finalizer off) some time before it deletes it */ \
  X(KILL,0)    /* people delete, or evict, the Pod itself */ \
  X(PG,0)      /* ended Pods are removed by others (podgc, people) */ \
  X(NODE,0)    /* the kubelet ends a Pod that nobody deletes (pressure, shutdown, limits, probes). 1: it marks it, 2: not */ \
  X(RESUS,0)   /* people resume a Job that was suspended after its start: it gets a second Pod (US counts these, too) */ \
  X(MEM,1)     /* a process may remember an exit, and the last state of a deleted Job; or may have lost them */ \
  X(PNS,0)     /* podStartDeadlineSeconds: a Job without a Pod is announced as PodNotStarted, and deleted */ \
  /* rules */ \
  X(PUTRV,1)   /* claim/record PUT under the CR's resourceVersion */ \
  X(LIVE,1)    /* 1: Jobs+Pods of a claim are listed after the RV the claim uses; 0: from a cache */ \
  X(JOBS,1) X(PODS,1)   /* claim looks at other Jobs / Pods of the lane */ \
  X(PRV,2)     /* resume precondition: 2 uid+rv, 1 uid, 0 name only */ \
  X(DRV,2)     /* delete precondition */ \
  X(TOUCH,1)   /* un-claim: 1 Job first then status; 0 status only; 2 status first then Job */ \
  X(REC,2)     /* crash recovery of a claimed, never started Job: 2 re-claim PUT that moves the RV; 1 re-claim PUT which is a no-op; 3 check CR live after the Job, no PUT; 0 from cache */ \
  X(ABACT,1)   /* abort only after active>=1 */ \
  X(VTIMER,1) X(VPODS,1) X(VANLIVE,1)  /* vanished claim: timer, Pods looked at before release, found by live list */ \
  X(STIMER,1) X(SPODS,1) /* started Job suspended by hand: timer, Pods looked at before release */ \
  X(CUID,1)    /* claim carries the Job's uid */ \
  X(HDROP,1)   /* plan refuses a Job whose id is in history */ \
  X(WM,2)      /* 0 none; 1 at claim, id==wm and unclaimed is dropped unrecorded (as written); 2 promoted when claim is released; 3 at claim, id==wm may start */ \
  X(ACK,1)     /* DeleteMessage: 0 after create; 1 after status names the request */ \
  X(STARTEDAT,1) X(RECFIRST,1) X(BOUNDED,1) X(ADOPT,1) X(VWUID,1) X(INTB,1) X(ORD,0) X(ENDING,1) X(ANRV,1) X(TB,1) \
  /* rule 14: which exit counts, and that it stays what it was */ \
  X(OWN,1)     /* only an exit that cap made by itself counts; 0: one after the order to end counts, too */ \
  X(MARK,1)    /* a Pod that the kubelet has marked proves nothing; 0: it does, for nobody deletes it (NODE=1) */ \
  X(COMPGONE,2)/* a Complete Job whose Pod is not seen is Succeeded. 1: not if it is being deleted (FG); 0: never */ \
  X(COMPSEEN,0)/* 1: a Complete Job is Succeeded although its Pod is seen, and proves nothing */ \
  X(FAILWINS,0)/* 1: a Failed Job beats an exit of 0 */ \
  X(CLAIMEXIT,1) /* an exit that cannot be recorded at once goes into the claim; 0: the process remembers it */ \
  X(EXKEEP,1)  /* an exit in a claim stays; 0: a pass that does not see it any more plans the claim without it */ \
  X(ENDWINS,0) /* 1: Replace's announcement beats the exit */ \
  X(MEMWINS,0) /* 1: the Failed Job that a process remembers beats the exit */ \
  X(RECLIVE,1) /* a finished Job is recorded when no Pod of it lives; 0: at once. (One that is gone, or suspended: VPODS, SPODS) */ \
  X(SCANN,1)   /* side-cars are announced, and their Job is deleted; 0: they are waited for */ \
  X(DELANN,1)  /* side-cars: the Job is deleted after the announcement; 0: before it */ \
  X(SCTB,0)    /* 1: SidecarEnded is taken back, or overwritten, like an announcement of Replace */ \
  X(ANEX,0)    /* 1: Replace announces an end although its look shows that cap has ended by itself */
#define X(n,d) static int n=d;
OPTIONS(X)
#undef X
static int K;

// ---------- the state ----------
// A Pod: its object, how its first container (cap) ended, and what told it to end.
enum { P_NONE, P_ALIVE, P_SUCC, P_FAIL, // no object; not all containers have ended; all have: its phase
  P_GONES, P_GONEF };                   // no object any more, and the Job controller has counted it: the Job will be Complete (S), or Failed (F)
enum { C_RUN, C_OWN0, C_OWN1,           // cap runs; has ended by itself, with 0 or not 0
  C_AFT0, C_AFT1 };                     // has ended after the order to end
enum { D_NO, D_DEL,                     // no order; deleted, and the Job controller counts how it ends
  D_JC, D_LETGO,                        // suspended: the Job controller deletes it and does not count it; lets go of it, and has not deleted it yet
  D_DEADLINE, D_KUBELET };              // the Job controller deletes it for the deadline; the kubelet ends it, and nobody deletes it
struct Pod{u8 obj,cap,del,orph,pend;};  // orph: it has no owner any more; pend: the Job controller is about to create it
enum {H_0,H_S,H_F,H_A,H_D,H_U,H_EV};
enum {G_0,G_OWN0,G_OWN1,G_AFTER};      // how the cap of a request ended, for the invariants
enum {E_NONE,E_OWN0,E_OWN1,E_DOUBT};   // what a pass sees in the Pod: no Pod; cap ended by itself with 0, or not 0; a Pod that proves neither
enum {A_NO,A_REPLACED,A_SIDECAR,A_NOTSTARTED}; // active[].ending
// What an operator's pass is about to do. Rule 14: EX write an exit into the claim; SN announce SidecarEnded, SB delete the Job after that.
enum {IDLE,ST_J,ST_P,ST_C,REC_J,RS_J,VA,UN,DR,CL,AB,VW,RB,AN,EX,SN,SB};
struct Th{u8 k,i,inc,x,e;};
struct S{
  u8 ex[3],inc[3],susp[3],sta[3],fin[3],act[3],del[3];          // Job: there, which uid, suspended, started-at, 1 Complete 2 Failed, active, being deleted
  u8 h[3],w[3],wi[3],m[3];                                      // history; noted as waiting, and which uid; message in the queue
  u8 st[3],g[3],tch[3],pc[3],dw[3];                             // for the invariants: started, cap's end, somebody touched it, had a Pod, deleted while it waited
  Pod pod[3][3];
  u8 ct,cinc,en,xc,lf,wm;                                       // the claim: request, uid, ending, exit, how its Job had finished when it was deleted; the watermark
  u8 rd,ud,us,ev; Th t[3];                                      // what people may do still; the operators' passes
};
static const u8 NOC=3;
static const int WORDS=3;
struct Key{u64 v[WORDS]; bool operator==(const Key&o)const{return !memcmp(v,o.v,sizeof v);}};
// Every field of the state with its width in bits, once for both directions. What means nothing takes no room.
template<class F> static inline void fields(S&s,F f){
  for(int i=0;i<N;i++){
    f(s.ex[i],1);f(s.inc[i],2);f(s.susp[i],1);f(s.sta[i],1);f(s.fin[i],2);f(s.act[i],1);f(s.del[i],1);
    f(s.h[i],3);f(s.w[i],1);f(s.wi[i],2);f(s.m[i],1);f(s.st[i],1);f(s.g[i],2);f(s.tch[i],1);f(s.pc[i],1);f(s.dw[i],1);
    for(int k=0;k<K;k++){ Pod&p=s.pod[i][k]; f(p.obj,3);f(p.pend,1); if(p.obj){f(p.cap,3);f(p.del,3);f(p.orph,1);} }
  }
  f(s.ct,2);f(s.cinc,2);f(s.en,2);f(s.xc,2);f(s.lf,2);f(s.wm,2);f(s.rd,2);f(s.ud,2);f(s.us,2);f(s.ev,1);
  for(int t=0;t<T;t++){ Th&q=s.t[t]; f(q.k,5); if(q.k){f(q.i,2);f(q.inc,2);f(q.x,2);f(q.e,2);} }
}
static Key pack(const S&s){ Key r; memset(&r,0,sizeof r); int p=0;
  fields(const_cast<S&>(s),[&](u8&x,int n){ int w=p>>6,o=p&63; if(p+n>64*WORDS){ fprintf(stderr,"the state needs more than %d words\n",WORDS); exit(2); } r.v[w]|=(u64)x<<o; if(o+n>64) r.v[w+1]|=(u64)x>>(64-o); p+=n; });
  return r; }
static S unpack(const Key&r){ S s; memset(&s,0,sizeof s); int p=0;
  fields(s,[&](u8&y,int n){ int w=p>>6,o=p&63; u64 x=r.v[w]>>o; if(o+n>64) x|=r.v[w+1]<<(64-o); y=x&((1u<<n)-1); p+=n; });
  return s; }

struct Succ{S s; string viol; string lab; u8 perm[3];};
static vector<Succ> out; static bool wantLab=false;
static const S*pre=nullptr; // the state whose successors are made
static inline u8 hv(const S&s,int i){return s.h[i]==H_EV?0:s.h[i];}
static inline int ci(const S&s,int i){return s.inc[i]-1;}
static inline bool palive(const Pod&p){return p.obj==P_ALIVE;}
static inline bool ended(const Pod&p){return p.obj==P_SUCC||p.obj==P_FAIL;}
static inline bool there(const Pod&p){return palive(p)||ended(p);}
static inline bool ownEnd(const Pod&p){return p.cap==C_OWN0||p.cap==C_OWN1;}
static inline bool counted(const Pod&p){return p.del!=D_JC&&p.del!=D_LETGO&&p.del!=D_DEADLINE;}
static inline bool current(const S&s,int i,int k){return s.ex[i]&&ci(s,i)==k;}
static inline bool claimed(const S&s,int i,int inc){return s.ct==i&&(!CUID||s.cinc==inc);}
static inline bool running(const S&s,int i){return s.ex[i]&&!s.susp[i]&&!s.fin[i];}
static inline bool waitingJ(const S&s,int i){return s.ex[i]&&!s.del[i]&&s.susp[i]&&!s.fin[i]&&!(STARTEDAT&&s.sta[i]);}
static bool lanePods(const S&s){ for(int i=0;i<N;i++)for(int k=0;k<K;k++) if(palive(s.pod[i][k])) return true; return false; }
static bool otherJobs(const S&s,int i){ for(int j=0;j<N;j++) if(j!=i&&running(s,j)) return true; return false; }
static bool newerWaits(const S&s,int i){ for(int j=i+1;j<N;j++) if(waitingJ(s,j)&&!hv(s,j)) return true; return false; }
// another Job has ended, or was suspended after its start, and has no record yet: a pass records the one, and waits for the other
static bool otherToRecord(const S&s,int i){ for(int j=0;j<N;j++) if(j!=i&&s.ex[j]&&!hv(s,j)&&((HR>1&&s.fin[j])||(INTB&&s.susp[j]&&s.sta[j]&&!s.fin[j]))) return true; return false; }
// the resource was written: passes that hold its old resourceVersion are refused
static void crW(S&s,int self){ if(!PUTRV) return; for(int t=0;t<T;t++) if(t!=self){ u8 k=s.t[t].k; if(((k==ST_J||k==ST_P||k==REC_J||k==RS_J||((k==AN||k==SN||k==EX)&&ANRV))&&LIVE)||k==UN||((k==VW||k==VA)&&VANLIVE)) s.t[t]={0,0,0,0,0}; } }
// the Job was written: so are passes that hold its old resourceVersion. Who is about to announce its end does so, and only the delete is refused (x=1)
static void jobW(S&s,int i,int self){ for(int t=0;t<T;t++) if(t!=self&&s.t[t].i==i){ Th&q=s.t[t]; u8 k=q.k; if((k==AN||k==SN)&&DRV==2) q.x=1; if(((k==AB||k==SB)&&DRV==2)||(((k==ST_J&&!ORD)||k==ST_P||k==ST_C||(k==RB&&REC==3))&&PRV==2)) q={0,0,0,0,0}; } }
// a Job that is not taken at its word, should it be Complete and its Pod not to be seen
static inline bool doubted(const S&s,int i){ return COMPGONE==0||(COMPGONE==1&&s.del[i]); }
static void removeJob(S&s,int i,int self){ int c=ci(s,i); if(claimed(s,i,c)) s.lf=s.fin[i]==1&&doubted(s,i)?0:s.fin[i]; s.ex[i]=s.susp[i]=s.sta[i]=s.fin[i]=s.act[i]=s.del[i]=0; jobW(s,i,self); }
static void newClaim(S&s,int i,int inc){ if(!(s.ct==i&&s.cinc==inc)) s.en=s.xc=s.lf=0; s.ct=i; s.cinc=inc; s.w[i]=0; if(WM==1||WM==3) if(s.wm<i+1) s.wm=i+1; }
static void promote(S&s,int i){ if(WM==2&&s.wm<i+1) s.wm=i+1; }
static const char*HN[]={"-","Succeeded","Failed","Aborted","Dropped","Unknown","(evicted)"};
static const char*ENDING_NAME[]={"-","Replaced","SidecarEnded","PodNotStarted"};

// ---------- what a pass sees in a Pod (rule 14) ----------
// Up to two answers: the times in a Pod that is being deleted may prove that cap ended before the order, or be too close to tell.
static int sights(const Pod&p,u8*see){
  if(!there(p)){ see[0]=E_NONE; return 1; }
  if(p.cap==C_RUN){ see[0]=E_DOUBT; return 1; }
  u8 own=(p.cap==C_OWN0||p.cap==C_AFT0)?E_OWN0:E_OWN1;
  if(p.del==D_NO||p.del==D_LETGO){ see[0]=own; return 1; }                              // proof (a): no deletionTimestamp
  if(p.del==D_KUBELET&&(NODE==2||!MARK)){ see[0]=own; return 1; }                       // looks the same
  if(!OWN){ see[0]=own; return 1; }
  see[0]=E_DOUBT; if(ownEnd(p)){ see[1]=own; return 2; }                                // proof (b)
  return 1;
}
static bool sees(const Pod&p,u8 what){ u8 see[2]; int n=sights(p,see); for(int q=0;q<n;q++) if(see[q]==what) return true; return false; }
// The exits of which a pass may have proof: by what it sees now, or by what its process saw before.
static bool proves(const S&s,int i,int k,u8 e){ return sees(s.pod[i][k],e)||(MEM&&s.g[i]==e); }

static void emit(S s,const char*lab,string viol=""){
  // canonical form
  if(s.ct==NOC) s.en=s.xc=s.lf=0;
  for(int i=0;i<N;i++){
    if(!s.w[i]) s.wi[i]=0;
    if(s.h[i]&&!EV) s.g[i]=s.tch[i]=0; // looked at when it is recorded, and never again
    for(int k=0;k<K;k++){ Pod&p=s.pod[i][k]; bool cur=current(s,i,k);
      bool owed=cur&&!s.fin[i]; // the Job controller has not said yet how the Job ended
      if((p.obj==P_GONES||p.obj==P_GONEF)&&!owed) p.obj=P_NONE;
      if(ended(p)&&s.h[i]&&!(owed&&!s.susp[i])) p.obj=P_NONE; // nobody asks any more
      if(p.obj==P_SUCC&&!owed) p.obj=P_FAIL;                  // no pass asks for the phase
      if((p.del==D_JC||p.del==D_DEADLINE)&&!owed) p.del=D_DEL;
      if(p.del==D_LETGO&&!cur&&!p.orph) p.del=D_NO;
      if(!there(p)) p.cap=p.del=p.orph=0;
      if(ended(p)&&OWN&&p.cap==C_AFT1&&p.del!=D_KUBELET) p.cap=C_AFT0; }
    if(POLICY<2) s.act[i]=0;
  }
  if(!MEM||(s.xc&&!MEMWINS)) s.lf=0;
  for(int t=0;t<T;t++){ Th&q=s.t[t];
    if(q.k==IDLE) q={0,0,0,0,0};
    if(q.k==SB) q.e=0;
    if(q.e==E_DOUBT&&((q.k==REC_J&&q.x==2)||q.k==RS_J||(q.k==VA&&s.lf!=1))) q.e=E_NONE; } // the same, but for a Complete Job
  // threads doomed by monotone facts go idle
  for(int t=0;t<T;t++){ Th&q=s.t[t];
    if((q.k==REC_J||q.k==DR||q.k==VW||q.k==RS_J)&&hv(s,q.i)&&RECFIRST&&PUTRV) q={0,0,0,0,0};
    if((q.k==VA&&PUTRV&&VANLIVE)||q.k==EX||q.k==SN) if(!claimed(s,q.i,q.inc)) q={0,0,0,0,0}; }
  u8 pm[3]={0,1,2}; for(int a=0;a<T;a++)for(int b=a+1;b<T;b++){ if(memcmp(&s.t[b],&s.t[a],sizeof(Th))<0) {swap(s.t[a],s.t[b]);swap(pm[a],pm[b]);} }
  if(viol.empty()){ // state checks
    int al=0; for(int i=0;i<N;i++)for(int k=0;k<K;k++){ bool a=palive(s.pod[i][k])||(running(s,i)&&ci(s,i)==k); al+=a; }
    if(al>1) viol="I3 two alive deploys in the lane";
    for(int i=0;i<N&&viol.empty();i++){
      if(s.h[i]==H_D&&s.st[i]) viol="I7 recorded Superseded/Missed, but it was started";
      if(!s.m[i]&&s.h[i]==0&&!s.ex[i]&&s.ct!=i&&!s.w[i]){ bool hold=false; for(int t=0;t<T;t++) if(s.t[t].k==DR&&s.t[t].i==i&&!RECFIRST) hold=true; if(!hold) viol="I1 request lost (no message, Job, claim, status or history knows it)"; }
    }
  }
  if(viol.empty()&&pre){ // checks of the step
    const S&b=*pre; bool stands=b.ct!=NOC&&s.ct==b.ct&&s.cinc==b.cinc;
    if(stands&&b.xc&&s.xc!=b.xc) viol="I7 the exit in a claim has changed while the claim stands";
    if(stands&&b.en==A_SIDECAR&&s.en!=A_SIDECAR) viol="I7 the announcement SidecarEnded is gone while its claim stands";
    if(b.ct!=NOC&&!stands&&palive(b.pod[b.ct][b.cinc])) viol="I8 claim released while its Pod lives";
    for(int i=0;i<N;i++) if(!hv(b,i)&&hv(s,i)){
      if((s.h[i]==H_A||s.h[i]==H_U)&&!b.tch[i]) viol="I7 recorded Aborted/Unknown, but nobody touched it";
      for(int k=0;k<K;k++) if(palive(b.pod[i][k])) viol="I8 recorded while a Pod of it lives"; }
  }
  if(!viol.empty()){ int b=viol[0]!='I'?16:viol[1]=='1'?1:viol[1]=='3'?2:viol[1]=='4'?4:viol[1]=='8'?32:8; if(!(ONLY&b)) viol.clear(); }
  out.push_back({s,viol,wantLab?string(lab):string(),{pm[0],pm[1],pm[2]}});
}
static char L[256];
#define LAB(...) (wantLab?(snprintf(L,sizeof L,__VA_ARGS__),L):"")

static void putH(S&s,int i,u8 v,string&viol){ if(s.h[i]!=0&&s.h[i]!=H_EV) viol="I1 second history entry"; s.h[i]=v; s.w[i]=0; }
static void resume(S&n,int i,int t,string&viol){ // PATCH suspend=false, started-at
  int c=ci(n,i); if(n.susp[i]&&!n.fin[i]){ if(n.dw[i]&&n.h[i]!=H_EV) viol="I1 started though its Job was deleted while it waited, listed in the status"; if(n.st[i]) viol="I1 request started twice (second resume)"; for(int j=i+1;j<N;j++) if(n.st[j]) viol="I4 started though a later-due one has started"; n.pod[i][c].pend=1; n.st[i]=1; }
  n.susp[i]=0; n.sta[i]=1; jobW(n,i,t); }
static bool crStart(const S&s,int i,int inc){ // may the plan start i, judged by the CR
  bool own = claimed(s,i,inc)&&(REC==1||REC==2);
  if(!(s.ct==NOC||own)) return false; if(HDROP&&hv(s,i)) return false; if(VWUID&&s.w[i]&&s.wi[i]!=inc+1) return false;
  if(WM==1&&!(i+1>s.wm||own)) return false; if(WM==2&&!(i+1>s.wm)) return false; if(WM==3&&!(i+1>=s.wm)) return false; return true; }

// ---------- how a started deploy is recorded (rule 14) ----------
enum {J_GONE,J_COMPLETE,J_FAILED,J_SUSPENDED}; // what the pass knows of the Job
static u8 byExit(u8 e){ return e==E_OWN0?H_S:H_F; }
static u8 byEnding(u8 en,u8 xc,u8 otherwise){ return en==A_REPLACED?(u8)H_A:en==A_NOTSTARTED?(u8)H_F:en==A_SIDECAR?byExit(xc):otherwise; }
static u8 verdict(const S&s,int i,int inc,u8 job,u8 e,bool remembered){
  bool own=claimed(s,i,inc); u8 en=own?s.en:0, xc=own?s.xc:0;
  if(ENDWINS&&en==A_REPLACED&&job==J_GONE) return H_A;
  if(MEMWINS&&remembered&&job==J_FAILED) return H_F;
  if(xc&&CLAIMEXIT) return byExit(xc);                                   // the exit in the claim comes first
  if(FAILWINS&&job==J_FAILED) return H_F;
  if(e==E_OWN0||e==E_OWN1) return byExit(e);                             // then the one of which this pass has proof
  if(job==J_COMPLETE) return e==E_NONE||COMPSEEN?(u8)H_S:byEnding(en,xc,H_U); // no Pod to be seen: the Job's word; a Pod that tells of an order: in doubt
  if(job==J_FAILED) return s.ex[i]&&s.del[i]?byEnding(en,xc,H_F):(u8)H_F;
  if(job==J_SUSPENDED) return H_A;
  return byEnding(en,xc,H_U);                                            // U stands for Aborted (JobDeleted), too
}
// The write that records, and releases the claim. One successor for each result that a process may come to, by what it remembers.
static void record(const S&s,int t,int i,int inc,u8 job,u8 e,const char*on){
  static const char*JN[]={"Job gone","Job Complete","Job Failed","Job suspended"}, *EN[]={"no Pod seen","exit 0 seen","exit 1 seen","Pod proves nothing"};
  bool ev=s.h[i]==H_EV, known=hv(s,i), own=claimed(s,i,inc); u8 done[4]; int nd=0;
  for(int me=0;me<=MEM;me++) for(int mj=0;mj<=MEM;mj++){
    u8 job2=job,e2=e;
    if(me){ if((e==E_OWN0||e==E_OWN1)||(s.g[i]!=G_OWN0&&s.g[i]!=G_OWN1)) continue; e2=s.g[i]; }
    if(mj){ if(job!=J_GONE||!own||!s.lf) continue; job2=s.lf==1?J_COMPLETE:J_FAILED; }
    u8 r=verdict(s,i,inc,job2,e2,mj); string v;
    if(!ev&&!known){
      if(r==H_S&&s.g[i]!=G_OWN0&&!(job2==J_COMPLETE&&e2==E_NONE&&!STRICT)) v="I7 Succeeded recorded, though cap did not end by itself with 0";
      if(r!=H_S&&s.g[i]==G_OWN0&&!s.tch[i]&&!DL) v="I7 not recorded as Succeeded, though cap ended by itself with 0, and nobody touched it";
      if((e2==E_OWN0||e2==E_OWN1)&&r!=byExit(e2)&&s.g[i]==e2) v="I7 recorded against the exit of which this very pass has proof";
      if(own&&s.xc&&r!=byExit(s.xc)) v=CLAIMEXIT?"I7 recorded other than by the exit that stood in the claim":"I7 recorded against the exit that an earlier pass found out, and waited with";
    }
    bool again=false; for(int q=0;q<nd;q++) if(done[q]==r) again=true; if(again&&v.empty()) continue; if(nd<4) done[nd++]=r;
    S n=s; string v2; if(!known||job!=J_GONE) putH(n,i,r,v2); if(ev){ v2.clear(); n.h[i]=H_EV; } if(!v2.empty()) v=v2;
    if(own) n.ct=NOC,n.cinc=0; promote(n,i); n.t[t]={0,0,0,0,0}; crW(n,t);
    emit(n,LAB("op %s: PUT history R%d=%s (%s%s, %s%s%s), claim released",on,i,HN[n.h[i]],mj?"remembered: ":"",JN[job2],me?"remembered: ":"",EN[e2],own&&s.xc?(CLAIMEXIT?", exit in the claim":", exit known before"):""),v);
  }
}

// ---------- intake ----------
static void intake(const S&s){
  for(int i=0;i<N;i++){
    bool re=s.inc[i]>0&&hv(s,i); // re-creation of a known one costs redelivery budget
    if(!s.ex[i]&&s.inc[i]<K){
      if(s.m[i]&&!(re)) { S n=s; n.inc[i]++; n.ex[i]=1;n.susp[i]=1; emit(n,LAB("intake: create Job R%d (uid %d)",i,n.inc[i])); }
      else if(s.rd>0&&s.inc[i]>0) { S n=s; n.rd--; n.inc[i]++; n.ex[i]=1;n.susp[i]=1; emit(n,LAB("intake: REDELIVERED message of R%d: create Job (uid %d)",i,n.inc[i])); }
    }
    if(s.m[i]&&s.inc[i]>0){ bool noted=s.w[i]||s.ct==i||s.h[i]; if(noted||!ACK){ S n=s; n.m[i]=0; emit(n,LAB("intake: DeleteMessage R%d",i)); } }
  }
}

// ---------- people ----------
static void people(const S&s){
  for(int i=0;i<N;i++) if(s.ex[i]&&!s.h[i]&&!s.del[i]){
    if(s.ud>0&&(HR<2||!s.st[i]||s.sta[i])){
      int c=ci(s,i);
      for(int orph=0;orph<=(ORPHAN&&there(s.pod[i][c])?1:0);orph++){ S n=s; n.ud--; n.tch[i]=1; n.pod[i][c].orph=orph; if(s.w[i]&&s.wi[i]==s.inc[i]&&!s.st[i]) n.dw[i]=1; removeJob(n,i,-1); emit(n,LAB("USER deletes Job R%d (uid %d)%s",i,s.inc[i],orph?" and orphans its Pod":"")); }
      if(FG){ S n=s; n.ud--; n.tch[i]=1; n.del[i]=1; jobW(n,i,-1); emit(n,LAB("USER deletes Job R%d (foreground)",i)); } }
    if(s.us>0&&running(s,i)&&(HR<2||s.sta[i])){ S n=s; n.us--; n.tch[i]=1; n.susp[i]=1; jobW(n,i,-1); emit(n,LAB("USER suspends running Job R%d",i)); }
    if(RESUS&&s.us>0&&s.susp[i]&&s.sta[i]&&!s.fin[i]&&!there(s.pod[i][ci(s,i)])&&!s.pod[i][ci(s,i)].pend){ S n=s; n.us--; n.susp[i]=0; n.pod[i][ci(s,i)].pend=1; n.pc[i]=0; jobW(n,i,-1); emit(n,LAB("USER resumes Job R%d, which was suspended after its start",i)); }
    if(HR&&s.us>0&&(s.ct==NOC||(HR>1&&s.ct!=i&&waitingJ(s,s.ct)))&&waitingJ(s,i)&&!otherJobs(s,i)&&!lanePods(s)){ bool q=true; for(int t=0;t<T;t++){u8 k=s.t[t].k; if(k==ST_J||k==ST_P||k==ST_C||k==RB||(HR>1&&k!=IDLE)) q=false;} for(int j=i+1;j<N;j++) if(s.st[j]) q=false; for(int j=0;j<N;j++)for(int c=0;c<K;c++) if(s.pod[j][c].pend) q=false;
      if(q){ S n=s; n.us--; n.tch[i]=1; n.susp[i]=0; n.st[i]=1; n.pod[i][ci(s,i)].pend=1; jobW(n,i,-1); emit(n,LAB("USER resumes waiting Job R%d by hand",i)); } }
  }
  if(s.ev>0) for(int i=0;i<N;i++) if(s.h[i]&&s.h[i]!=H_EV&&s.ct!=i){ S n=s; n.ev--; n.h[i]=H_EV; crW(n,-1); emit(n,LAB("history entry of R%d pushed out by 50 newer",i)); }
}

// ---------- Job controller, garbage collector, kubelet ----------
// All containers have ended. The object stays, with its phase, until it is counted or removed.
static void podEnds(Pod&p,bool failed){ p.obj=failed?P_FAIL:P_SUCC; }
static bool exit0(u8 cap){ return cap==C_OWN0||cap==C_AFT0; }

static void cluster(const S&s,int i,int k){
  bool cur=current(s,i,k); const Pod&p=s.pod[i][k]; string v; int u=k+1; if(!p.obj&&!p.pend&&!cur) return;
  auto step=[&](auto f,const char*lab){ S n=s; f(n,n.pod[i][k]); emit(n,lab); };
  auto finish=[&](S&n,u8 how){ n.fin[i]=how; n.act[i]=0; jobW(n,i,-1); };
  if(p.pend){
    { S n=s; Pod&q=n.pod[i][k]; if(s.pc[i]) v="I1 second Pod for one request"; n.pc[i]=1; q={P_ALIVE,C_RUN,D_NO,0,0}; emit(n,LAB("JobController creates Pod of R%d (uid %d)%s",i,u,cur&&running(s,i)?"":" -- LATE, Job is gone/suspended"),v); }
    if(!(cur&&running(s,i))) step([&](S&,Pod&q){ q.pend=0; },LAB("JobController notices that R%d (uid %d) is gone/suspended: no Pod",i,u));
    if(cur&&running(s,i)&&p.obj==P_NONE) step([&](S&n,Pod&q){ q.pend=0; finish(n,2); },LAB("JobController: R%d Failed (deadline, no Pod)",i));
  }
  if(palive(p)){
    bool told=p.del!=D_NO&&p.del!=D_LETGO;
    if(p.cap==C_RUN) for(u8 cap=told?C_AFT0:C_OWN0;cap<=(told?C_AFT1:C_OWN1);cap++){ // cap ends
      if(cap==C_AFT0&&!TRAP) continue;
      const char*how=exit0(cap)?"with 0":"with 1",*when=told?" after the order":" by itself";
      auto ends=[&](S&n,Pod&q){ q.cap=cap; n.g[i]=told?G_AFTER:cap==C_OWN0?G_OWN0:G_OWN1; };
      step([&](S&n,Pod&q){ ends(n,q); podEnds(q,!exit0(cap)); },LAB("Pod of R%d (uid %d): cap ends %s%s, and the Pod",i,u,how,when));
      if(SC&&(!told||!OWN)) step(ends,LAB("Pod of R%d (uid %d): cap ends %s%s; a side-car runs on",i,u,how,when));
      if(exit0(cap)&&(SC||p.del==D_KUBELET)) step([&](S&n,Pod&q){ ends(n,q); podEnds(q,true); },LAB("Pod of R%d (uid %d): cap ends %s%s, and the Pod fails",i,u,how,when)); }
    else if(SCEND||told){ step([&](S&,Pod&q){ podEnds(q,!exit0(p.cap)); },LAB("Pod of R%d (uid %d) ends",i,u));
      if(exit0(p.cap)) step([&](S&,Pod&q){ podEnds(q,true); },LAB("Pod of R%d (uid %d) ends, a side-car failed",i,u)); }
    // the order to end
    if(p.del==D_NO){
      if((!cur&&!p.orph)||(cur&&s.del[i])) step([&](S&,Pod&q){ q.del=D_DEL; },LAB("garbage collector deletes Pod of R%d (uid %d)",i,u));
      if(cur&&s.susp[i]&&!s.fin[i]) step([&](S&n,Pod&q){ if(LETGO) q.del=D_LETGO; else q.del=D_JC; n.act[i]=0; jobW(n,i,-1); },LAB("JobController %s Pod of suspended R%d",LETGO?"lets go of":"deletes",i));
      if(DL&&cur&&running(s,i)) step([&](S&n,Pod&q){ q.del=D_DEADLINE; n.act[i]=0; jobW(n,i,-1); },LAB("JobController: deadline of R%d: deletes its Pod",i));
      if(KILL&&(cur||p.orph)) step([&](S&n,Pod&q){ q.del=D_DEL; n.tch[i]=1; },LAB("Pod of R%d (uid %d) is deleted, or evicted, by others",i,u));
      if(NODE) step([&](S&n,Pod&q){ q.del=D_KUBELET; n.tch[i]=1; },LAB("kubelet ends Pod of R%d (uid %d) without its being deleted",i,u));
    }
    if(cur&&running(s,i)&&!s.act[i]&&counted(p)) step([&](S&n,Pod&){ n.act[i]=1; jobW(n,i,-1); },LAB("JobController: R%d status.active=1",i));
  }
  // let go, and deleted after that: one that has ended meanwhile is gone at once
  if(p.del==D_LETGO) step([&](S&,Pod&q){ if(palive(q)) q.del=D_JC; else q.obj=P_NONE; },LAB("JobController deletes Pod of R%d, which it had let go",i));
  // Failed by the deadline: before its Pod has ended (Kubernetes before 1.31), or after; and whatever a Pod says that had ended and was not counted yet
  if(cur&&!s.fin[i]&&p.del==D_DEADLINE&&(DL>1||!s.susp[i]||!palive(p))) step([&](S&n,Pod&){ finish(n,2); },LAB("JobController: R%d Failed (deadline)%s",i,palive(p)?", its Pod still terminates":""));
  if(DL&&cur&&running(s,i)&&ended(p)&&p.del==D_NO) step([&](S&n,Pod&){ finish(n,2); },LAB("JobController: R%d Failed (deadline), though its Pod has ended",i));
  // the Job controller's verdict
  if(cur&&!s.fin[i]&&((ended(p)&&counted(p))||p.obj==P_GONES||p.obj==P_GONEF)){ bool good=p.obj==P_SUCC||p.obj==P_GONES; step([&](S&n,Pod&){ finish(n,good?1:2); },LAB("JobController: R%d %s",i,good?"Complete":"Failed")); }
  // objects of ended Pods go; one that the Job controller has to count yet leaves its verdict behind
  if(ended(p)){
    bool byOwner=!cur&&!p.orph, told=p.del==D_DEL||p.del==D_JC||p.del==D_DEADLINE;
    auto goes=[&](S&n,Pod&q){ bool owed=cur&&!n.fin[i]&&(counted(q)||q.del==D_DEADLINE); q.obj=!owed?P_NONE:q.del==D_DEADLINE||q.obj==P_FAIL?P_GONEF:P_GONES; };
    if(told||byOwner) step(goes,LAB("Pod of R%d (uid %d) is gone%s",i,u,cur&&!s.fin[i]&&counted(p)?", after the Job controller has counted it":""));
    else if(PG&&!p.pend) step([&](S&n,Pod&q){ n.tch[i]=1; if(cur&&!n.fin[i]&&p.del!=D_LETGO) q.del=D_DEL; else q.obj=P_NONE; },LAB("somebody deletes the ended Pod of R%d (uid %d)",i,u));
  }
  if(cur&&s.del[i]&&!palive(p)){ S n=s; removeJob(n,i,-1); emit(n,LAB("garbage collector removes Job R%d",i)); }
}

// ---------- operators' passes: what an idle one may begin ----------
// The look at the Pods, and what it shows of the Pod of this Job; then.e where it shows none.
static void look(const S&s,int t,Th then,const char*lab){
  u8 see[2]; int ns=sights(s.pod[then.i][then.inc],see); for(int q=0;q<ns;q++){ S n=s; n.t[t]=then; n.t[t].e=see[q]==E_NONE?then.e:see[q]; emit(n,lab); } }
// Of a Job that is gone, or suspended, nothing runs, and nothing will: no Pod is alive, and the time has passed in which one can still come.
// The two are one step, for a Pod that has not come by then never comes. So are "finished" and the look at the Pods: neither goes back.
static bool isOver(const S&s,int i,int inc,int timer,int pods){ return (!timer||!BOUNDED||!s.pod[i][inc].pend)&&(!pods||!lanePods(s)); }
static void begin(const S&s,int t,const char*on,int i){
  int c=ci(s,i); u8 C=(u8)(c<0?0:c);
  // start: live Jobs list
  if(waitingJ(s,i)&&(ORD||!JOBS||!otherJobs(s,i))&&!otherToRecord(s,i)&&(!ORD||!PODS||!lanePods(s))&&(!(LIVE||!PUTRV)||crStart(s,i,c))){ S n=s; n.t[t]={ST_J,(u8)i,C,0,0}; emit(n,LAB("op %s: %s; Jobs list%s: R%d (uid %d) can start",on,LIVE?"reads CR RV":"(CR to be read later)",LIVE?" live":" from cache",i,c+1)); }
  if(REC==0&&s.ct==i){ S n=s; n.t[t]={RB,(u8)i,s.cinc,0,0}; emit(n,LAB("op %s: CR in cache: claim R%d",on,i)); }
  if(REC==3&&waitingJ(s,i)){ S n=s; n.t[t]={RB,(u8)i,C,0,0}; emit(n,LAB("op %s: Job read: R%d never started (for recovery)",on,i)); }
  // record finished
  if(s.ex[i]&&s.fin[i]&&!hv(s,i)&&!(RECLIVE&&palive(s.pod[i][c]))) look(s,t,{REC_J,(u8)i,C,s.fin[i],(u8)(doubted(s,i)?E_DOUBT:E_NONE)},LAB("op %s: sees R%d finished; Pods list live%s",on,i,RECLIVE?": none of it alive":""));
  // started and suspended by hand
  if(STARTEDAT&&s.ex[i]&&s.susp[i]&&s.sta[i]&&!s.fin[i]&&!hv(s,i)){ S n=s; n.t[t]={RS_J,(u8)i,C,0,0}; emit(n,LAB("op %s: sees R%d started-at and suspended: aborted by hand",on,i)); }
  // vanished claim
  if(VANLIVE?(s.ct==i&&!(s.ex[i]&&(!CUID||s.cinc==c))):(!s.ex[i])){
    if(!VANLIVE){ S n=s; n.t[t]={VA,(u8)i,0,0,0}; emit(n,LAB("op %s: Jobs from cache: R%d is not there",on,i)); }
    else if(isOver(s,i,s.cinc,VTIMER,VPODS)) look(s,t,{VA,(u8)i,s.cinc,1,0},LAB("op %s: claim read; Jobs live: R%d is not there%s%s",on,i,VTIMER?"; 30 s have passed":"",VPODS?"; Pods list live: none alive":"")); }
  // un-claim
  if(FREEZE&&s.ct==i&&s.ex[i]&&(!CUID||s.cinc==c)&&waitingJ(s,i)){ S n=s; n.t[t]={UN,(u8)i,C,0,0}; emit(n,LAB("op %s: claim R%d never started, frozen since: un-claim begins",on,i)); }
  // drop waiting (OutOfOrder, Superseded, Missed)
  if(waitingJ(s,i)&&!hv(s,i)){ bool r=MISSED||(POLICY>=1&&newerWaits(s,i));
    if(RECFIRST){ S n=s; n.t[t]={DR,(u8)i,C,(u8)(r?1:0),0}; if(r||s.wm>i+1) emit(n,LAB("op %s: sees R%d waiting, to be dropped",on,i)); }
    else if(s.ct!=i&&(r||s.wm>i+1)){ S n=s; removeJob(n,i,t); n.t[t]={DR,(u8)i,C,1,0}; emit(n,LAB("op %s: DELETE dropped R%d before recording",on,i)); } }
  // delete recorded
  if(s.ex[i]&&!s.del[i]&&hv(s,i)&&(s.fin[i]||s.susp[i])){ if(DRV==2){ S n=s; removeJob(n,i,t); emit(n,LAB("op %s: DELETE recorded Job R%d (%s)",on,i,s.fin[i]?"finished":"waiting/suspended")); } else { S n=s; n.t[t]={CL,(u8)i,C,0,0}; emit(n,LAB("op %s: sees recorded R%d, will delete",on,i)); } }
  if((WM==1||(WM==2&&s.h[i]==H_EV))&&s.wm==i+1&&s.ct!=i&&waitingJ(s,i)){ S n=s; removeJob(n,i,t); emit(n,LAB("op %s: DELETE R%d: its id is the watermark's, unclaimed",on,i)); }
  // abort (Replace). One that shows its exit is not replaced: it has ended, and is recorded, or announced as SidecarEnded.
  bool mine=s.ct==i&&running(s,i)&&!s.del[i];
  if(POLICY==2&&mine&&(!ABACT||s.act[i])&&newerWaits(s,i)&&(s.en!=A_SIDECAR||SCTB)){
    if(!ENDING){ S n=s; if(DRV==2){ n.tch[i]=1; removeJob(n,i,t); emit(n,LAB("op %s: Replace: DELETE running R%d",on,i)); } else { n.t[t]={AB,(u8)i,C,0,0}; emit(n,LAB("op %s: Replace: will delete R%d",on,i)); } }
    else { u8 see[2]; int ns=sights(s.pod[i][c],see); for(int q=0;q<ns;q++){ bool proof=see[q]==E_OWN0||see[q]==E_OWN1; if(proof&&!ANEX) continue; S n=s; n.t[t]={AN,(u8)i,C,0,(u8)(proof?see[q]:0)}; emit(n,LAB("op %s: Replace: reads CR RV, Job R%d runs, a newer one waits%s",on,i,proof?", its exit is seen":"")); } } }
  if(ENDING&&POLICY==2&&mine&&s.en&&(s.en!=A_SIDECAR||SCTB)){ S n=s; n.en=0; if(TB) jobW(n,i,t); crW(n,t); emit(n,LAB("op %s: PUT claim R%d: announcement taken back",on,i)); }
  // no Pod in time
  if(PNS&&mine&&!there(s.pod[i][c])&&(s.en!=A_SIDECAR||SCTB)){ S n=s; n.t[t]={AN,(u8)i,C,0,3}; emit(n,LAB("op %s: reads CR RV, Job R%d runs, no Pod of it in time",on,i)); }
  // rule 14. Side-cars: cap has ended, its Pod runs on. The Job of an announcement that stands is deleted by whoever sees it.
  if(SC&&SCANN&&mine&&palive(s.pod[i][c])&&s.en!=A_SIDECAR) for(u8 e=E_OWN0;e<=E_OWN1;e++) if(proves(s,i,c,e)){
    S n=s; n.t[t]={(u8)(DELANN?SN:SB),(u8)i,C,0,e}; emit(n,LAB("op %s: reads CR RV, Job R%d runs, its cap has ended with %d a minute ago and its Pod runs on",on,i,e-1)); }
  if(mine&&s.en==A_SIDECAR){ S n=s; n.t[t]={SB,(u8)i,C,0,s.xc}; emit(n,LAB("op %s: sees SidecarEnded announced of R%d and its Job there",on,i)); }
  // An exit that cannot be recorded yet, for a Pod lives. (A Job that runs needs none: its verdict is awaited, or SidecarEnded comes.)
  if(s.ct==i&&!s.xc&&!mine&&lanePods(s)&&!waitingJ(s,i)) for(u8 e=E_OWN0;e<=E_OWN1;e++) if(proves(s,i,s.cinc,e)){
    S n=s; if(CLAIMEXIT) n.t[t]={EX,(u8)i,s.cinc,0,e}; else n.xc=e; // without it: xc is what was found out, and no record looks at it
    emit(n,LAB("op %s: reads CR RV; claim R%d: cap has ended with %d, a Pod lives still%s",on,i,e-1,CLAIMEXIT?"":" -- remembers it")); }
  if(!EXKEEP&&s.ct==i&&s.xc&&!sees(s.pod[i][s.cinc],s.xc)){ S n=s; n.xc=0; crW(n,t); emit(n,LAB("op %s: PUT claim R%d, without the exit that it does not see any more",on,i)); }
  // note in status.waiting
  if(s.ex[i]&&!s.w[i]&&!hv(s,i)&&s.ct!=i){ S n=s; n.w[i]=1; n.wi[i]=s.inc[i]; crW(n,t); emit(n,LAB("op %s: PUT status: waiting += R%d",on,i)); }
  // noted, gone; or another one under its name
  if((!s.ex[i]||(VWUID&&s.w[i]&&s.wi[i]!=s.inc[i]&&waitingJ(s,i)))&&(!VANLIVE||(s.w[i]&&!hv(s,i)&&s.ct!=i))){ S n=s; n.t[t]={VW,(u8)i,0,0,0}; emit(n,LAB("op %s: Jobs %s: noted R%d is not there",on,VANLIVE?"live":"from cache",i)); }
  // mark a Job resumed by hand
  if(HR>1&&STARTEDAT&&running(s,i)&&!s.sta[i]&&!hv(s,i)){ S n=s; n.sta[i]=1; jobW(n,i,t); emit(n,LAB("op %s: PATCH started-at of R%d, which somebody resumed",on,i)); }
  // adopt a Job resumed by hand
  if(HR&&ADOPT&&s.ct==NOC&&running(s,i)&&!hv(s,i)){ S n=s; newClaim(n,i,C); crW(n,t); emit(n,LAB("op %s: PUT claim=R%d (adopts the Job resumed by hand)",on,i)); }
}

// ---------- operators' passes: the next step of one under way ----------
static void go(const S&s,int t,const char*on){
  const Th q=s.t[t]; int i=q.i; string v;
  switch(q.k){
  case ST_J: if(ORD){ if(waitingJ(s,i)&&(!JOBS||!otherJobs(s,i))&&(!LIVE||crStart(s,i,ci(s,i)))){ S n=s; n.t[t].k=ST_P; n.t[t].inc=ci(s,i); emit(n,LAB("op %s: Jobs list: lane free, R%d can start",on,i)); } break; }
    if(!PODS||!lanePods(s)){ S n=s; n.t[t].k=ST_P; emit(n,LAB("op %s: Pods list: lane free",on)); } break;
  case ST_P: if(!PUTRV||crStart(s,i,q.inc)){ S n=s; bool noop=s.ct==i&&s.cinc==q.inc&&REC==1; newClaim(n,i,q.inc); if(!noop) crW(n,t); n.t[t].k=ST_C; emit(n,LAB("op %s: PUT claim=R%d (uid %d)%s",on,i,q.inc+1,noop?" (no change: RV stays)":"")); } break;
  case ST_C: { bool ok=s.ex[i]&&(PRV==0||ci(s,i)==q.inc); S n=s; n.t[t]={0,0,0,0,0}; if(ok){ resume(n,i,t,v); emit(n,LAB("op %s: PATCH resume R%d",on,i),v);} } break;
  case RB: if(REC==0){ if(waitingJ(s,i)&&(!CUID||ci(s,i)==q.inc)){ S n=s; n.t[t]={0,0,0,0,0}; resume(n,i,t,v); emit(n,LAB("op %s: PATCH resume claimed R%d (Job fresh, CR from cache)",on,i),v);} }
    else if(q.x==0){ if(claimed(s,i,q.inc)){ S n=s; n.t[t].x=1; emit(n,LAB("op %s: GET CR live: claim is R%d still",on,i)); } }
    else { bool ok=s.ex[i]&&(PRV==0||ci(s,i)==q.inc); if(ok){ S n=s; n.t[t]={0,0,0,0,0}; resume(n,i,t,v); emit(n,LAB("op %s: PATCH resume claimed R%d",on,i),v);} } break;
  case REC_J: if(!hv(s,i)||!PUTRV) record(s,t,i,q.inc,q.x==1?J_COMPLETE:J_FAILED,q.e,on); break;
  case RS_J: if(!q.x){ if(isOver(s,i,q.inc,STIMER,SPODS)) look(s,t,{RS_J,(u8)i,q.inc,1,0},LAB("op %s: %s; %s",on,STIMER?"30 s have passed":"(no timer)",SPODS?"Pods list live: none alive":"(Pods not looked at)")); }
    else if(!hv(s,i)||!PUTRV) record(s,t,i,q.inc,J_SUSPENDED,q.e,on); break;
  case VA: if(!q.x){ if(isOver(s,i,q.inc,VTIMER,VPODS)) look(s,t,{VA,(u8)i,q.inc,1,0},LAB("op %s: %s; %s",on,VTIMER?"30 s have passed":"(no timer)",VPODS?"Pods list live: none alive":"(Pods not looked at)")); }
    else if(s.ct==i&&(!CUID||!VANLIVE||s.cinc==q.inc)) record(s,t,i,s.cinc,J_GONE,q.e,on); break;
  case UN: if(TOUCH==1&&q.x==0){ if(waitingJ(s,i)&&ci(s,i)==q.inc){ S n=s; jobW(n,i,t); n.t[t].x=1; emit(n,LAB("op %s: un-claim: writes Job R%d (its RV moves)",on,i)); } }
    else if(q.x==2){ S n=s; n.t[t]={0,0,0,0,0}; if(s.ex[i]) jobW(n,i,t); emit(n,LAB("op %s: un-claim: writes Job R%d after status",on,i)); }
    else if(claimed(s,i,q.inc)){ S n=s; n.ct=NOC; n.cinc=0; if(!s.h[i]) n.w[i]=1,n.wi[i]=q.inc+1; if(TOUCH==2) n.t[t].x=2; else n.t[t]={0,0,0,0,0}; crW(n,t); emit(n,LAB("op %s: PUT status: claim R%d removed",on,i)); } break;
  case DR: if(s.ct!=i&&(!hv(s,i)||!PUTRV)&&(q.x||s.wm>i+1)){ S n=s; bool ev=s.h[i]==H_EV; putH(n,i,H_D,v); if(ev){ v.clear(); n.h[i]=H_EV; } n.t[t]={0,0,0,0,0}; crW(n,t); emit(n,LAB("op %s: PUT history R%d=Superseded/Missed",on,i),v); } break;
  case CL: { bool ok=s.ex[i]&&(DRV==0||ci(s,i)==q.inc); if(ok){ S n=s; n.t[t]={0,0,0,0,0}; removeJob(n,i,t); if(!s.h[i]) n.tch[i]=1; emit(n,LAB("op %s: DELETE Job R%d (recorded)",on,i)); } } break;
  // an announcement; the delete that rests on it is for who has the Job as it is
  case AN: if(claimed(s,i,q.inc)){ S n=s; u8 en=q.e==3?A_NOTSTARTED:A_REPLACED; if(q.e==E_OWN0||q.e==E_OWN1) v="I7 Replaced announced by a pass that has proof that cap ended by itself"; n.en=en; crW(n,t); if(q.x) n.t[t]={0,0,0,0,0}; else n.t[t]={AB,(u8)i,q.inc,0,0}; emit(n,LAB("op %s: PUT claim R%d: ending=%s",on,i,ENDING_NAME[en]),v); } break;
  case AB: { bool ok=s.ex[i]&&(DRV==0||ci(s,i)==q.inc); if(ok){ S n=s; if(!hv(s,i)&&s.fin[i]) v="I6 deleted a finished Job whose outcome is not recorded"; if(!hv(s,i)&&ci(s,i)!=q.inc) v="I6 deleted another Job than the one judged"; if(ENDING&&!(s.ct==i&&s.en)) v="I7 aborted, though the announcement was taken back"; n.t[t]={0,0,0,0,0}; n.tch[i]=1; removeJob(n,i,t); emit(n,LAB("op %s: DELETE Job R%d (announced)",on,i),v); } } break;
  case SN: { S n=s; n.en=A_SIDECAR; if(!n.xc) n.xc=q.e; crW(n,t); if(q.x) n.t[t]={0,0,0,0,0}; else n.t[t]={SB,(u8)i,q.inc,0,q.e}; emit(n,LAB("op %s: PUT claim R%d: exit=%d, ending=SidecarEnded",on,i,n.xc-1)); } break;
  case SB: { bool ok=s.ex[i]&&(DRV==0||ci(s,i)==q.inc); if(ok){ S n=s; if(!hv(s,i)&&s.fin[i]) v="I6 deleted a finished Job whose outcome is not recorded"; if(!hv(s,i)&&ci(s,i)!=q.inc) v="I6 deleted another Job than the one judged"; n.t[t]={0,0,0,0,0}; removeJob(n,i,t); emit(n,LAB("op %s: DELETE Job R%d (SidecarEnded)",on,i),v); } } break;
  case EX: { S n=s; n.xc=q.e; crW(n,t); n.t[t]={0,0,0,0,0}; emit(n,LAB("op %s: PUT claim R%d: exit=%d",on,i,q.e-1)); } break;
  case VW: if(s.w[i]&&!hv(s,i)&&s.ct!=i){ S n=s; putH(n,i,H_A,v); n.t[t]={0,0,0,0,0}; crW(n,t); emit(n,LAB("op %s: PUT history R%d=Aborted (deleted while waiting)",on,i),v); } break;
  }
}

static void succ(const S&s){
  out.clear(); pre=&s;
  intake(s);
  people(s);
  for(int i=0;i<N;i++) for(int k=0;k<K;k++) cluster(s,i,k);
  bool idleDone=false;
  for(int t=0;t<T;t++){ const char*on=t==0?"A":t==1?"B":"C";
    if(s.t[t].k!=IDLE){ S n=s; n.t[t]={0,0,0,0,0}; emit(n,LAB("op %s: crashes / gives up its pass",on)); go(s,t,on); }
    else if(!idleDone){ idleDone=true; for(int i=0;i<N;i++) begin(s,t,on,i); }
  }
  pre=nullptr;
}
static bool quiet(const S&s){ for(int t=0;t<T;t++) if(s.t[t].k) return false; if(s.ct!=NOC) return false; for(int i=0;i<N;i++){ if(s.m[i]||!s.h[i]) return false; for(int k=0;k<K;k++) if(palive(s.pod[i][k])||s.pod[i][k].pend) return false; if(running(s,i)) return false; if(s.ex[i]&&!s.fin[i]) return false; } return true; }
static void show(const S&s){
  static const char*PN[]={"-","alive","Succeeded","Failed","gone(S)","gone(F)"},*CN[]={"runs","own0","own1","after0","after1"},*DN[]={"","deleted","deletedByJC","letGo","deletedByDeadline","endedByKubelet"};
  printf("      CR{claim=%s%d", s.ct==NOC?"-":"R", s.ct==NOC?0:s.ct); if(s.en) printf(" ending=%s",ENDING_NAME[s.en]); if(s.xc) printf(" exit=%d",s.xc-1); printf(" wm=%d",s.wm);
  for(int i=0;i<N;i++) printf(" h%d=%s%s",i,HN[s.h[i]],s.w[i]?"(w)":""); printf("}");
  for(int i=0;i<N;i++){ printf(" R%d[",i); if(s.ex[i]) printf("Job uid%d%s%s%s%s%s",s.inc[i],s.susp[i]?" susp":" UNSUSP",s.sta[i]?" started":"",s.fin[i]==1?" Complete":s.fin[i]==2?" Failed":"",s.act[i]?" act":"",s.del[i]?" del":""); else printf("no Job");
    for(int k=0;k<K;k++){ const Pod&p=s.pod[i][k]; if(p.obj||p.pend) printf(" pod%d=%s%s%s%s%s%s%s",k+1,PN[p.obj],there(p)?",cap ":"",there(p)?CN[p.cap]:"",p.del?",":"",DN[p.del],p.orph?",orphan":"",p.pend?"+pend":""); } printf(" msg=%d]",s.m[i]); } printf("\n"); }

static inline u64 hk(const Key&k){ u64 h=0; for(int w=0;w<WORDS;w++){ h=(h^k.v[w])*0x9E3779B97F4A7C15ull; h^=h>>29; h*=0xBF58476D1CE4E5B9ull; h^=h>>32; } return h; }
int main(int ac,char**av){
  map<string,int*> O;
#define X(n,d) O[#n]=&n;
  OPTIONS(X)
#undef X
  bool verbose=false; for(int a=1;a<ac;a++){ string x=av[a]; if(x=="-v"){verbose=true;continue;} size_t e=x.find('='); string k=x.substr(0,e); if(e==string::npos||!O.count(k)){fprintf(stderr,"unknown option %s\n",k.c_str());return 2;} *O[k]=atoi(x.c_str()+e+1); }
  if(!BOUNDED){VTIMER=STIMER=0;}
  K=min(3,1+UD+RD);
  S s0; memset(&s0,0,sizeof s0); for(int i=0;i<N;i++) s0.m[i]=1; s0.ct=NOC; s0.rd=RD; s0.ud=UD; s0.us=US; s0.ev=EV;
  auto t0=chrono::steady_clock::now();
  vector<Key> st; vector<u32> par; size_t cap=1<<22; vector<u32> ht(cap,0);
  auto find=[&](const Key&k,bool ins,u32 p)->long{ size_t h=hk(k)&(cap-1); while(ht[h]){ if(st[ht[h]-1]==k) return ht[h]-1; h=(h+1)&(cap-1);} if(!ins) return -1; st.push_back(k); par.push_back(p); ht[h]=st.size(); if(st.size()*2>cap){ cap*=2; ht.assign(cap,0); for(size_t q=0;q<st.size();q++){ size_t z=hk(st[q])&(cap-1); while(ht[z]) z=(z+1)&(cap-1); ht[z]=q+1; } } return -2; };
  { emit(s0,""); s0=out[0].s; } find(pack(s0),true,0);
  auto trace=[&](u32 at,const string&last,const S*fin){ vector<u32> p; for(u32 x=at;;x=par[x]){ p.push_back(x); if(x==0)break; } reverse(p.begin(),p.end()); wantLab=true; int no=1; string nm="ABC"; auto fix=[&](string l){ for(size_t z=0;z+4<l.size();z++) if(l.compare(z,3,"op ")==0&&l[z+4]==':'){ l[z+3]=nm[l[z+3]-'A']; break; } return l; };
    for(size_t q=0;q+1<p.size();q++){ S s=unpack(st[p[q]]); succ(s); Key want=st[p[q+1]]; for(auto&o:out) if(pack(o.s)==want){ printf("  %2d. %s\n",no++,fix(o.lab).c_str()); string n2=nm; for(int z=0;z<T;z++) n2[z]=nm[o.perm[z]]; nm=n2; if(verbose) show(o.s); break; } }
    if(fin){ printf("  %2d. %s\n",no,fix(last).c_str()); if(verbose) show(*fin);} wantLab=false; };
  size_t edges=0,nq=0; bool bounded=false; size_t depthEnd=1; int depth=0;
  for(size_t x=0;x<st.size();x++){ if(x==depthEnd){depth++;depthEnd=st.size();} S s=unpack(st[x]); succ(s); edges+=out.size(); if(quiet(s)) nq++;
    for(size_t q=0;q<out.size();q++){ if(!out[q].viol.empty()){ string v=out[q].viol; wantLab=true; succ(s); wantLab=false; double el=chrono::duration<double>(chrono::steady_clock::now()-t0).count(); string lab=out[q].lab; S f=out[q].s; printf("VIOLATION %s  (depth %d, %zu states, %.1fs)\n",v.c_str(),depth+1,st.size(),el); trace(x,lab,&f); return 1; }
      find(pack(out[q].s),true,x); }
    if(st.size()>(size_t)MAXS){ bounded=true; break; } }
  double el=chrono::duration<double>(chrono::steady_clock::now()-t0).count();
  printf("%s states=%zu edges=%zu depth=%d quiescent=%zu %.1fs",bounded?"BOUNDED(no violation so far)":"CLEAN(safety)",st.size(),edges,depth,nq,el); fflush(stdout);
  if(!bounded&&AEFQ){ vector<bool> good(st.size()); bool ch=true; int pass=0; for(size_t x=0;x<st.size();x++) if(quiet(unpack(st[x]))) good[x]=true;
    while(ch){ ch=false; pass++; for(size_t x=st.size();x-->0;) if(!good[x]){ S s=unpack(st[x]); succ(s); for(auto&o:out){ long y=find(pack(o.s),false,0); if(y>=0&&good[y]){ good[x]=true; ch=true; break; } } } }
    size_t bad=0,first=0; for(size_t x=st.size();x-->0;) if(!good[x]){bad++;first=x;}
    if(bad){ printf("\nVIOLATION LIVENESS: %zu states from which quiescence is unreachable; first:\n",bad); trace(first,"",nullptr); show(unpack(st[first])); return 1; }
    printf(" AG-EF-quiescent ok (%d passes, %.1fs)",pass,chrono::duration<double>(chrono::steady_clock::now()-t0).count()); }
  printf("\n"); return 0; }

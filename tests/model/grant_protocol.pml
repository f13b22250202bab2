/* The grant protocol: record before you tell, tell before you free (docs/architecture.md, "The grant protocol").
 *
 * Here are the API server's truth about one primitive and CLAIMS claims; OPERATORS that all believe to lead, each with
 * views of its own of the claims and of the primitive, which lag at will; and the world, which creates, renews and
 * deletes claims, and deletes the primitive and makes it anew. A step is one write, or one look: anything may happen
 * between any two. Whatever time, Pods and policy decide in the operator may be decided at any moment.
 *
 * What is checked: `check()` after every step, and the assertions in the steps. Each rule is a macro that -DNO_... leaves
 * out. tests/model/check runs all of it; README.md says what is not modelled, and how to read a trail.
 */

/* ---- the configuration: -DLIMIT=2 ... --------------------------------------------------------------------------- */

#ifndef LIMIT
#define LIMIT 1
#endif
#ifndef CLAIMS
#define CLAIMS 3 /* 2 or 3 at a time; who is gone makes room for another, without end */
#endif
#ifndef OPERATORS
#define OPERATORS 2 /* 2 or 3 */
#endif
#ifndef LIVES
#define LIVES 1 /* of the primitive; 2: it is made anew once */
#endif
#ifndef RENEWALS
#define RENEWALS 0 /* 1: who holds may renew */
#endif
#ifndef LOST
#define LOST 0 /* 1: the answer to a write may be lost */
#endif
#ifndef CHANGES
#define CHANGES 0 /* 1: the limit is changed at will, between 1 and LIMIT */
#endif
#ifndef REVISIONS
#define REVISIONS 0 /* so many writes of the primitive at most, and tokens are counted; 0: no bound, no tokens */
#endif
/* SYMMETRY: states that differ only by the numbers of claims and operators are one. Not for trails: numbers change. */

/* ---- the rules -------------------------------------------------------------------------------------------------- */

#ifdef NO_VIEW /* who decides holds a view of the claims at least as new as `seen` */
#define RULE_VIEW 0
#else
#define RULE_VIEW 1
#endif
#ifdef NO_SEEN /* who forgets a told grant raises `seen` to what its claim shows */
#define RULE_SEEN 0
#else
#define RULE_SEEN 1
#endif
#ifdef NO_FIRST_SEEN /* `seen` starts at the primitive's own first resourceVersion */
#define RULE_FIRST_SEEN 0
#else
#define RULE_FIRST_SEEN 1
#endif
#ifdef NO_FIRST_RECORD /* a life's first record raises it to what those show who hold from the life before */
#define RULE_FIRST_RECORD 0
#else
#define RULE_FIRST_RECORD 1
#endif
#ifdef NO_RECORD /* only what is recorded is told */
#define RULE_RECORD 0
#else
#define RULE_RECORD 1
#endif
#ifdef NO_PENDING /* what is recorded and not told holds */
#define RULE_PENDING 0
#else
#define RULE_PENDING 1
#endif
#ifdef NO_FORGET /* only what is told, terminal or gone is forgotten */
#define RULE_FORGET 0
#else
#define RULE_FORGET 1
#endif
#ifdef NO_ABSENT /* who is absent from a view is gone only if the view is newer than the entry's `rv` */
#define RULE_ABSENT 0
#else
#define RULE_ABSENT 1
#endif
#ifdef NO_RECORD_CAS /* a record carries the primitive's resourceVersion */
#define RULE_RECORD_CAS 0
#else
#define RULE_RECORD_CAS 1
#endif
#ifdef NO_TELL_CAS /* a tell carries the claim's */
#define RULE_TELL_CAS 0
#else
#define RULE_TELL_CAS 1
#endif
#ifdef NO_MARK_CAS /* so does a mark */
#define RULE_MARK_CAS 0
#else
#define RULE_MARK_CAS 1
#endif
#ifdef NO_END_CAS /* so does a terminal phase: a renewal that came first wins */
#define RULE_END_CAS 0
#else
#define RULE_END_CAS 1
#endif
#ifdef NO_WAITING /* terminal is final, the operator's part: only a claim that waits is told */
#define RULE_WAITING 0
#else
#define RULE_WAITING 1
#endif
#ifdef NO_FINAL /* terminal is final, the API server's part: the CEL rule */
#define RULE_FINAL 0
#else
#define RULE_FINAL 1
#endif
#ifdef NO_MARKS /* who is told is marked, or strictly newer than the primitive */
#define RULE_MARKS 0
#else
#define RULE_MARKS 1
#endif
#ifdef NO_MARK_ALL /* before the first grant all who wait are marked, not only who is granted */
#define RULE_MARK_ALL 0
#else
#define RULE_MARK_ALL 1
#endif
#ifdef NO_MARK_UID /* the mark is the primitive's UID, and is compared with it */
#define RULE_MARK_UID 0
#else
#define RULE_MARK_UID 1
#endif
#ifdef NO_MARK_LIVING /* another UID's mark is replaced only by who has asked since whether its own primitive lives */
#define RULE_MARK_LIVING 0
#else
#define RULE_MARK_LIVING 1
#endif
#ifdef NO_STRICTLY /* a claim of the primitive's own second is not newer than it */
#define RULE_STRICTLY 0
#else
#define RULE_STRICTLY 1
#endif
#ifdef NO_TOKEN_RV /* tokens go on above the primitive's resourceVersion, not only above `lastToken` */
#define RULE_TOKEN_RV 0
#else
#define RULE_TOKEN_RV 1
#endif

/* ---- the truth: what etcd holds --------------------------------------------------------------------------------- */

/* A claim is one number. Each write of it is a step up, so the number is its resourceVersion as well: a view is newer if
 * it shows a higher one, and a compare-and-swap compares them. */
#define UNBORN       0
#define WAITING      1
#define MARKED(life) (WAITING + (life)) /* waits, marked with the UID of the primitive's life 1 or 2 */
#define GRANTED      4
#define RENEWED      5 /* still holds. So does Revoking, which would be another such step */
#define ENDED        6 /* Denied, Expired, Revoked */
#define GONE         7 /* absent from a list, like UNBORN: only resourceVersions tell the two apart */

#define WAITS(s) ((s) >= WAITING && (s) < GRANTED)
#define MARK(s)  ((s) - WAITING) /* of one that waits; 0: none */
#define HOLDS(s) ((s) == GRANTED || (s) == RENEWED)
#define LIVES_ON(s) ((s) >= WAITING && (s) < ENDED)

typedef Ledger {
  byte life;         /* of the primitive whose status it is in: its UID */
  byte pending;      /* a bit for each claim */
  byte seen[CLAIMS]; /* one resourceVersion is as new as all of these */
  bit granted        /* `lastToken` is not 0 */
}

byte claims[CLAIMS];
byte newer[CLAIMS]; /* the last life of the primitive than which the claim is strictly newer, in whole seconds */
Ledger ledger;
byte limit = LIMIT; /* spec.permits */
byte revision = (REVISIONS > 0 -> 1 : 0); /* the primitive's resourceVersion, where it is counted */
byte last_token, highest_token;

/* ---- what an operator knows: all of it caches ------------------------------------------------------------------- */

typedef View {
  byte claims[CLAIMS]; /* as a list or the watch showed them, with its own writes laid over */
  byte life            /* which life the primitive had then: the part of `seen` that is a primitive's resourceVersion */
}

View view[OPERATORS];
Ledger copy[OPERATORS]; /* of the primitive */
bit current[OPERATORS]; /* that copy has the resourceVersion that the primitive has now */

/* ---- what must always be true ----------------------------------------------------------------------------------- */

#define BIT(c)      (1 << (c))
#define HAS(set, c) (((set) >> (c)) & 1)
#if CLAIMS == 2
#define ALL(is)    (is(0) && is(1))
#define COUNT(is)  (is(0) + is(1))
#else
#define ALL(is)    (is(0) && is(1) && is(2))
#define COUNT(is)  (is(0) + is(1) + is(2))
#endif
byte i, j; /* of loops; 0 between two steps */

/* Held: who is granted, and who will be, because the living primitive's ledger says so. */
#define IS_HELD(c) (HOLDS(claims[c]) || (HAS(ledger.pending, c) && WAITS(claims[c])))
byte allowed = LIMIT; /* the limit at the last grant */

inline check() {
  d_step {
    tidy();
    i = 0;
    j = 0;
    assert(COUNT(IS_HELD) <= allowed) /* never over-granted */
  }
}

/* ---- the steps of operator `me` --------------------------------------------------------------------------------- */

inline copy_ledger(to, from) {
  to.life = from.life;
  to.pending = from.pending;
  to.granted = from.granted;
  for (i : 0 .. CLAIMS - 1) { to.seen[i] = from.seen[i] }
}

#define SHOWN(c) view[me].claims[c]

/* May claim c in state s be told by this life of the primitive? */
#define MAY_BE_TOLD(s, c, life) (WAITS(s) && (!RULE_MARKS || MARK(s) == (life) || \
                                              (MARK(s) == 0 -> IS_NEWER(c, life) : !RULE_MARK_UID)))
#define IS_NEWER(c, life) (LIVES == 1 || newer[c] >= (life) || (!RULE_STRICTLY && newer[c] + 1 == (life)))

/* Which entries of the ledger are over, and which are left? */
#define IS_OVER(c) (HAS(copy[me].pending, c) && \
                    (SHOWN(c) >= GRANTED || (!RULE_ABSENT && SHOWN(c) == UNBORN) || !RULE_FORGET))
#define IS_LEFT(c) (HAS(copy[me].pending, c) && !IS_OVER(c))

/* The view rule. Own writes are laid over the view, so that their echo need not be awaited. */
#define IS_SEEN(c)   (SHOWN(c) >= copy[me].seen[c])
#define COVERS       (!RULE_VIEW || (ALL(IS_SEEN) && (!RULE_FIRST_SEEN || view[me].life >= copy[me].life)))

#define NEEDS_NO_MARK(c) (!WAITS(SHOWN(c)) || MAY_BE_TOLD(SHOWN(c), c, copy[me].life))
#define MARKS_DONE   (!RULE_MARK_ALL || copy[me].granted || ALL(NEEDS_NO_MARK))

#define MAY_DECIDE   (COVERS && MARKS_DONE)
#define MAY_WRITE    ((current[me] || !RULE_RECORD_CAS) && (!REVISIONS || revision < REVISIONS))
#define COUNTS(c)    (HOLDS(SHOWN(c)) || (RULE_PENDING && IS_LEFT(c)))
#define MAY_GRANT(c) (MAY_DECIDE && MAY_BE_TOLD(SHOWN(c), c, copy[me].life) && !IS_LEFT(c) && COUNT(COUNTS) < limit)

/* RECORD a grant, to anybody who waits: whose turn it is, is policy. A batch is a few of these in a row. */
inline record() {
  printf("operator %d (life %d) records claim %d\n", me, copy[me].life, c);
  settle();
  if
  :: LIVES > 1 && RULE_FIRST_RECORD && !ledger.granted -> see_holders()
  :: else
  fi;
  ledger.pending = ledger.pending | BIT(c);
  ledger.granted = LIVES > 1;
  allowed = limit;
  count_token();
  commit()
}

/* FORGET what is over: with a record, or with any other write of the primitive's status. */
#define MAY_FORGET (MAY_DECIDE && COUNT(IS_OVER) > 0)
inline forget() {
  printf("operator %d (life %d) forgets what is over\n", me, copy[me].life);
  settle();
  commit()
}

inline settle() {
  copy_ledger(ledger, copy[me]);
  for (i : 0 .. CLAIMS - 1) {
    if
    :: IS_OVER(i) ->
       assert(!WAITS(claims[i])); /* else it is lost: recorded, forgotten, and never told */
       ledger.pending = ledger.pending & ~BIT(i);
       if
       :: RULE_SEEN && SHOWN(i) != GONE && SHOWN(i) > ledger.seen[i] -> ledger.seen[i] = SHOWN(i)
       :: else
       fi
    :: else
    fi
  }
}

/* Who was told by a former life was never in this one's `pending`. */
inline see_holders() {
  for (i : 0 .. CLAIMS - 1) {
    if
    :: HOLDS(SHOWN(i)) && SHOWN(i) > ledger.seen[i] -> ledger.seen[i] = SHOWN(i)
    :: else
    fi
  }
}

inline commit() {
  outdate();
  if
  :: answered -> copy_ledger(copy[me], ledger); current[me] = 1
  :: else -> printf("  and hears no answer\n")
  fi
}

/* The primitive was written. What is left to do with an older copy is to tell from it: its resourceVersion is over. */
inline outdate() {
  revision = revision + (REVISIONS > 0);
  for (j : 0 .. OPERATORS - 1) {
    current[j] = 0;
    if
    :: RULE_RECORD_CAS -> copy[j].granted = 0; for (i : 0 .. CLAIMS - 1) { copy[j].seen[i] = 0 }
    :: else
    fi
  }
}

/* TELL who is recorded. */
#define MAY_TELL(c) ((HAS(copy[me].pending, c) || (!RULE_RECORD && MAY_GRANT(c))) && \
                     (MAY_BE_TOLD(SHOWN(c), c, copy[me].life) || (!RULE_WAITING && SHOWN(c) == ENDED)))
#define TAKES_TELL(c) ((claims[c] == SHOWN(c) || !RULE_TELL_CAS) && \
                       (WAITS(claims[c]) || (!RULE_FINAL && claims[c] == ENDED)))
inline tell() {
  printf("operator %d (life %d) tells claim %d\n", me, copy[me].life, c);
  assert(claims[c] != ENDED); /* what is over never holds again */
  assert(copy[me].life == ledger.life || !HAS(ledger.pending, c)); /* not with a token of a former life */
  write_claim(GRANTED)
}

inline write_claim(state) {
  claims[c] = state;
  if
  :: answered -> SHOWN(c) = state
  :: else -> printf("  and hears no answer\n")
  fi
}

/* MARK who waits and is not strictly newer; who is newer gets a mark too when it is told that it waits. To replace the
 * mark of another life takes a GET that finds one's own alive. Should it end between that and this write, the next
 * life's operators will mark the claim once more, or have done so, and then the compare-and-swap fails. */
#define MAY_MARK(c) (LIVES > 1 && RULE_MARKS && WAITS(SHOWN(c)) && \
                     (MARK(SHOWN(c)) == 0 || \
                      (!NEEDS_NO_MARK(c) && (copy[me].life == ledger.life || !RULE_MARK_LIVING))))
#define TAKES_MARK(c) (WAITS(claims[c]) && (claims[c] == SHOWN(c) || !RULE_MARK_CAS))
inline set_mark() {
  printf("operator %d (life %d) marks claim %d\n", me, copy[me].life, c);
  write_claim(MARKED(copy[me].life))
}

/* END a claim: not renewed in time, its Pod gone, denied, its grace over. */
#define MAY_END(c) (LIVES_ON(SHOWN(c)) && LIVES_ON(claims[c]) && (claims[c] == SHOWN(c) || !RULE_END_CAS))
inline end_claim() {
  printf("operator %d (life %d) ends claim %d\n", me, copy[me].life, c);
  assert(claims[c] == SHOWN(c) || !HOLDS(claims[c])); /* no grant and no renewal is overlooked */
  write_claim(ENDED)
}

/* LOOK: a view moves to the present when it moves. How far it lags is free, because it may stay as it is for ever. */
inline look_at_claims() {
  for (i : 0 .. CLAIMS - 1) { SHOWN(i) = claims[i] }
  view[me].life = ledger.life
}
inline look_at_primitive() {
  copy_ledger(copy[me], ledger);
  current[me] = 1
}

/* ---- the world -------------------------------------------------------------------------------------------------- */

#define IS_FREE(c) (claims[c] == UNBORN && (c == 0 || claims[(c + CLAIMS - 1) % CLAIMS] != UNBORN)) /* any is as good */
inline make_anew() {
  outdate();
  for (i : 0 .. CLAIMS - 1) { ledger.seen[i] = 0 }
  ledger.pending = 0;
  ledger.granted = 0;
  last_token = 0;
  ledger.life++
}

/* ---- tokens, where writes of the primitive are counted ---------------------------------------------------------- */

#define PER_REVISION 2 /* 1000 in truth */

inline count_token() {
  if
  :: REVISIONS > 0 ->
     if
     :: RULE_TOKEN_RV && revision * PER_REVISION > last_token -> last_token = revision * PER_REVISION
     :: else
     fi;
     last_token++;
     assert(last_token > highest_token); /* tokens only grow */
     highest_token = last_token
  :: else
  fi
}

/* ---- fewer states: what can make no difference any more is forgotten -------------------------------------------- */

#if OPERATORS == 2
#define EVERY(is) (is(0) && is(1))
#else
#define EVERY(is) (is(0) && is(1) && is(2))
#endif
#define SHOWS_SEEN(o) (view[o].claims[i] >= ledger.seen[i])
#define SHOWS_MORE(o) (view[o].claims[i] > WAITING)
#define SHOWS_GONE(o) (view[o].claims[i] == GONE && !HAS(copy[o].pending, i))

inline tidy() {
  for (i : 0 .. CLAIMS - 1) {
    for (j : 0 .. OPERATORS - 1) {
      if /* From a copy that is not current, only who waits can be told. */
      :: RULE_RECORD_CAS && RULE_WAITING && !current[j] && !WAITS(claims[i]) -> copy[j].pending = copy[j].pending & ~BIT(i)
      :: else
      fi;
      if /* A view in which somebody still holds who is over: it only grants less. */
      :: claims[i] >= ENDED && view[j].claims[i] >= GRANTED -> view[j].claims[i] = claims[i]
      :: else
      fi
    }
    if /* All views are new enough, and they get no older. */
    :: RULE_RECORD_CAS && EVERY(SHOWS_SEEN) -> ledger.seen[i] = 0; for (j : 0 .. OPERATORS - 1) { copy[j].seen[i] = 0 }
    :: else
    fi;
    if
    :: claims[i] > WAITING && EVERY(SHOWS_MORE) -> newer[i] = 0
    :: else
    fi;
    if /* All know that it is gone: there is room for another claim. */
    :: claims[i] == GONE && !HAS(ledger.pending, i) && EVERY(SHOWS_GONE) ->
       claims[i] = UNBORN;
       ledger.seen[i] = 0;
       for (j : 0 .. OPERATORS - 1) { view[j].claims[i] = UNBORN; copy[j].seen[i] = 0 }
    :: else
    fi
  }
#ifdef SYMMETRY
  order_operators(0, 1);
#if OPERATORS > 2
  order_operators(1, 2); order_operators(0, 1);
#endif
  order_claims(0, 1);
#if CLAIMS > 2
  order_claims(1, 2); order_claims(0, 1);
#endif
#endif
}

#define SWAP(x, y) j = x; x = y; y = j
#define SWAP_BITS(set, a, b) set = (set & ~(BIT(a) | BIT(b))) | (HAS(set, a) << (b)) | (HAS(set, b) << (a))

#define OPERATOR_RANK(o) (view[o].claims[0] + 8 * view[o].claims[1] + 64 * view[o].claims[CLAIMS - 1] + \
                          512 * copy[o].pending + 4096 * current[o] + 8192 * copy[o].life)
inline order_operators(a, b) {
  if
  :: OPERATOR_RANK(a) < OPERATOR_RANK(b) ->
     for (i : 0 .. CLAIMS - 1) { SWAP(view[a].claims[i], view[b].claims[i]); SWAP(copy[a].seen[i], copy[b].seen[i]) }
     SWAP(view[a].life, view[b].life);
     SWAP(copy[a].life, copy[b].life);
     SWAP(copy[a].pending, copy[b].pending);
     SWAP(copy[a].granted, copy[b].granted);
     SWAP(current[a], current[b])
  :: else
  fi
}

#define CLAIM_RANK(c) (claims[c] + 8 * view[0].claims[c] + 64 * view[1].claims[c] + 512 * HAS(ledger.pending, c) + \
                       1024 * HAS(copy[0].pending, c) + 2048 * HAS(copy[1].pending, c) + 4096 * newer[c])
inline order_claims(a, b) {
  if
  :: CLAIM_RANK(a) < CLAIM_RANK(b) ->
     SWAP(claims[a], claims[b]);
     SWAP(newer[a], newer[b]);
     SWAP(ledger.seen[a], ledger.seen[b]);
     SWAP_BITS(ledger.pending, a, b);
     for (i : 0 .. OPERATORS - 1) {
       SWAP(view[i].claims[a], view[i].claims[b]);
       SWAP(copy[i].seen[a], copy[i].seen[b]);
       SWAP_BITS(copy[i].pending, a, b)
     }
  :: else
  fi
}

/* ---- who takes these steps, one at a time ----------------------------------------------------------------------- */

inline any_claim() {
  if
  :: c = 0
  :: c = 1
  :: CLAIMS > 2 -> c = 2
  fi
}

proctype operator(byte me) {
  byte c;
  bit answered; /* a write may be carried out and its answer lost */
  do
  :: atomic {
       if
       :: d_step { true -> printf("operator %d sees the claims\n", me); look_at_claims() }
       :: d_step { !current[me] -> printf("operator %d sees the primitive\n", me); look_at_primitive() }
       :: d_step { true -> printf("operator %d crashes, and starts with lists\n", me); look_at_claims(); look_at_primitive() }
       :: true ->
          any_claim();
          if
          :: answered = 1
          :: LOST -> answered = 0
          fi;
          if
          :: d_step { MAY_WRITE && MAY_GRANT(c) -> record() }
          :: d_step { MAY_WRITE && MAY_FORGET && c == 0 -> forget() }
          :: d_step { MAY_TELL(c) && TAKES_TELL(c) -> tell() }
          :: d_step { MAY_MARK(c) && TAKES_MARK(c) -> set_mark() }
          :: d_step { MAY_END(c) -> end_claim() }
          :: else
          fi;
          c = 0;
          answered = 0
       fi;
       check()
     }
  od
}

proctype world() {
  byte c;
  do
  :: atomic {
       if
       :: d_step { ledger.life < LIVES -> printf("the primitive is deleted and made anew\n"); make_anew() }
       :: d_step { CHANGES -> outdate(); limit = 1 + limit % LIMIT; printf("the limit is %d now\n", limit) }
       :: true ->
          any_claim();
          if
          :: d_step { IS_FREE(c) -> printf("claim %d is created\n", c); claims[c] = WAITING }
             if
             :: newer[c] = (LIVES > 1 -> ledger.life : 0)
             :: LIVES > 1 -> newer[c] = ledger.life - 1; printf("  in the same second as the primitive\n")
             fi
          :: d_step { RENEWALS && claims[c] == GRANTED -> printf("claim %d is renewed\n", c); claims[c] = RENEWED }
          :: d_step { LIVES_ON(claims[c]) || claims[c] == ENDED -> printf("claim %d is deleted\n", c); claims[c] = GONE }
          :: else
          fi;
          c = 0
       fi;
       check()
     }
  od
}

init {
  atomic {
    ledger.life = 1;
    for (i : 0 .. OPERATORS - 1) { view[i].life = 1; copy[i].life = 1; current[i] = 1; run operator(i) }
    i = 0;
    run world()
  }
}

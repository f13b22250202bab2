/* The grant protocol: record before you tell, tell before you free (docs/architecture.md, "The grant protocol").
 *
 * What is here: the API server's truth about one primitive and CLAIMS claims; LEADERS operators that all believe to
 * lead, each with views of its own of the claims and of the primitive, which lag at will; and the world, which makes,
 * renews, releases and deletes claims and makes the primitive anew. Anything may happen between any two writes.
 * What is checked: check(), after every step, and the assertions in the steps.
 *
 * Each rule of the protocol is a macro that -DNO_... leaves out. tests/model/check runs all of it; README.md says what
 * is left out of the model and why.
 */

/* ---- the configuration: spin -a -DLIMIT=2 ... ------------------------------------------------------------------- */

#ifndef CLAIMS
#define CLAIMS 3 /* at a time: who is gone and forgotten makes room for another, without end */
#endif
#ifndef LEADERS
#define LEADERS 2
#endif
#ifndef LIMIT
#define LIMIT 1
#endif
#ifndef LIVES
#define LIVES 1 /* of the primitive: 2 is one re-creation */
#endif
#ifndef RENEWALS
#define RENEWALS 1 /* of a claim while it holds */
#endif
#ifndef LOST
#define LOST 0 /* answers to writes that were carried out */
#endif

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
#ifdef NO_PENDING /* what is recorded and not told holds */
#define RULE_PENDING 0
#else
#define RULE_PENDING 1
#endif
#ifdef NO_FORGET /* only what is over is forgotten */
#define RULE_FORGET 0
#else
#define RULE_FORGET 1
#endif
#ifdef NO_ABSENT /* a claim that the view does not show is over only if the view is newer than the entry's `rv` */
#define RULE_ABSENT 0
#else
#define RULE_ABSENT 1
#endif
#ifdef NO_RECORD_CAS /* a record carries the primitive's resourceVersion */
#define RULE_RECORD_CAS 0
#else
#define RULE_RECORD_CAS 1
#endif
#ifdef NO_TELL_CAS /* a tell carries the claim's resourceVersion */
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
#ifdef NO_FINAL /* terminal is final: the operator tells only who waits, and the API server refuses the rest */
#define RULE_FINAL 0
#else
#define RULE_FINAL 1
#endif
#ifdef NO_MARKS /* only a claim that is marked or strictly newer than the primitive is told; the others are marked */
#define RULE_MARKS 0
#else
#define RULE_MARKS 1
#endif
#ifdef NO_MARK_UID /* the mark is the primitive's UID, and is compared */
#define RULE_MARK_UID 0
#else
#define RULE_MARK_UID 1
#endif
#ifdef NO_MARK_ALL /* before the first grant all waiting claims are marked, not only those about to be granted */
#define RULE_MARK_ALL 0
#else
#define RULE_MARK_ALL 1
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

/* ---- the truth: what etcd holds --------------------------------------------------------------------------------- */

/* A claim is a number that only grows, and each write of it is a step up: so the number is its resourceVersion too.
 * A claim that waits may be marked with the UID of a life of the primitive: MARKED(1), MARKED(2). RENEWED still holds
 * (so does a claim that is Revoking: another step up). Who never came and who is gone are both absent from a list; what
 * tells them apart is the list's resourceVersion. */
#define UNBORN    0
#define WAITING   1
#define MARKED(l) (WAITING + (l))
#define GRANTED   4
#define RENEWED   5
#define ENDED     6 /* Denied, Expired, Revoked */
#define GONE      7

#define WAITS(s) ((s) >= WAITING && (s) < GRANTED)
#define HOLDS(s) ((s) == GRANTED || (s) == RENEWED)
#define MARK(s)  ((s) - WAITING) /* of a claim that waits; 0: none */

typedef Ledger {
  byte life;         /* which primitive it is the status of: stands for the UID. 0: none is known */
  byte pending;      /* a bit for each claim that is recorded and not forgotten */
  byte seen[CLAIMS]; /* `seen` as one number a claim: a view is as new as a resourceVersion exactly if it is for each */
  bit granted        /* lastToken is not 0 */
}

byte claims[CLAIMS]; /* the claims */
Ledger ledger;       /* the primitive */
byte after[CLAIMS];  /* the last life of the primitive than which the claim is strictly newer, in whole seconds */

/* ---- what an operator knows ------------------------------------------------------------------------------------- */

typedef View {
  byte claims[CLAIMS]; /* as its watch showed them, with its own writes laid over */
  byte life            /* which life the primitive had then; 0: nothing was listed yet */
}
View view[LEADERS];
Ledger copy[LEADERS];  /* the primitive */
bit current[LEADERS];  /* has it the resourceVersion that the primitive has? */

/* ---- the invariants --------------------------------------------------------------------------------------------- */

#define BIT(c)      (1 << (c))
#define HAS(set, c) (((set) >> (c)) & 1)

#if CLAIMS == 2
#define EACH(step)  step(0) step(1)
#define ALL(is)     (is(0) && is(1))
#define COUNT(is)   (is(0) + is(1))
#else
#define EACH(step)  step(0) step(1) step(2)
#define ALL(is)     (is(0) && is(1) && is(2))
#define COUNT(is)   (is(0) + is(1) + is(2))
#endif
byte i, l; /* of loops; 0 between two steps */

#define NEWER(c, l) (LIVES == 1 || after[c] >= l || (!RULE_STRICTLY && after[c] + 1 == l))
/* May life l tell claim c, which is in state s? */
#define MAY_BE_TOLD(s, c, l) \
  (WAITS(s) && (!RULE_MARKS || (MARK(s) == 0 && NEWER(c, l)) || (MARK(s) != 0 && (MARK(s) == l || !RULE_MARK_UID))))

/* Held in truth: who is granted, and who will be, because the living primitive's ledger says so. */
#define IS_HELD(c) (HOLDS(claims[c]) || (HAS(ledger.pending, c) && WAITS(claims[c])))
inline check() {
  tidy();
  i = 0; l = 0;
  assert(COUNT(IS_HELD) <= LIMIT)
}

/* What can make no difference any more is forgotten, so that there are fewer states. */
#define EVERY_VIEW(is) (is(0) && is(1))
#define SHOWS_GONE(l) (view[l].claims[i] == GONE && !HAS(copy[l].pending, i))
#define SHOWS_SEEN(l) (view[l].claims[i] >= ledger.seen[i])
inline tidy() {
  for (i : 0 .. CLAIMS - 1) {
    /* A late copy of the ledger can only be told from. */
    for (l : 0 .. LEADERS - 1) {
      if
      :: RULE_RECORD_CAS && RULE_FINAL && !current[l] && !WAITS(claims[i]) -> copy[l].pending = copy[l].pending & ~BIT(i)
      :: else
      fi
    }
    if
    :: RULE_RECORD_CAS && EVERY_VIEW(SHOWS_SEEN) ->
       ledger.seen[i] = 0;
       for (l : 0 .. LEADERS - 1) { copy[l].seen[i] = 0 }
    :: else
    fi;
    /* A claim that all know to be gone makes room for a new one. */
    if
    :: claims[i] == GONE && !HAS(ledger.pending, i) && EVERY_VIEW(SHOWS_GONE) ->
       claims[i] = UNBORN; after[i] = 0; ledger.seen[i] = 0;
       for (l : 0 .. LEADERS - 1) { view[l].claims[i] = UNBORN; copy[l].seen[i] = 0 }
    :: else
    fi
  }
}

/* ---- the steps of an operator `me` ------------------------------------------------------------------------------ */

inline copy_ledger(to, from) {
  to.life = from.life;
  to.pending = from.pending;
  to.granted = from.granted;
  for (i : 0 .. CLAIMS - 1) { to.seen[i] = from.seen[i] }
}

/* The primitive was written: no copy is current any more. Such a copy can only be told from, because of its old
 * resourceVersion; to forget the rest of it makes fewer states. */
inline outdate() {
  for (l : 0 .. LEADERS - 1) {
    current[l] = 0;
    if
    :: RULE_RECORD_CAS ->
       copy[l].granted = 0;
       for (i : 0 .. CLAIMS - 1) { copy[l].seen[i] = 0 }
    :: else
    fi
  }
}

/* What its view says of claim c. */
#define SHOWN(c)     view[me].claims[c]

/* May it forget that c was granted: is c told, terminal or gone? */
#define IS_OVER(c)   (SHOWN(c) >= GRANTED || (!RULE_ABSENT && SHOWN(c) == UNBORN) || !RULE_FORGET)
#define IS_LEFT(c)   (HAS(copy[me].pending, c) && !IS_OVER(c))
#define IS_DONE(c)   (HAS(copy[me].pending, c) && IS_OVER(c))

/* The view rule. An operator's own writes are laid over its view, so it need not wait for their echo. */
#define IS_SEEN(c)   (SHOWN(c) >= copy[me].seen[c])
#define COVERS       (!RULE_VIEW || (ALL(IS_SEEN) && (!RULE_FIRST_SEEN || view[me].life >= copy[me].life)))

/* Before the first grant of this life, all who wait are marked or strictly newer. */
#define IS_MARKED(c) (!WAITS(SHOWN(c)) || MAY_BE_TOLD(SHOWN(c), c, copy[me].life))
#define MARKS_DONE   (!RULE_MARK_ALL || copy[me].granted || ALL(IS_MARKED))

#define MAY_DECIDE   (copy[me].life > 0 && view[me].life > 0 && COVERS && MARKS_DONE && (current[me] || !RULE_RECORD_CAS))

/* RECORD one grant, of anyone who waits: whose turn it is, is policy. A batch is this several times in a row. */
#define COUNTS(c)    (HOLDS(SHOWN(c)) || (RULE_PENDING && IS_LEFT(c)))
#define MAY_GRANT(c) (MAY_BE_TOLD(SHOWN(c), c, copy[me].life) && !IS_LEFT(c) && COUNT(COUNTS) < LIMIT)

/* FORGET what is over, and raise `seen`: with each write of the primitive's status. */
inline settle() {
  copy_ledger(ledger, copy[me]);
  for (i : 0 .. CLAIMS - 1) {
    if
    :: IS_DONE(i) ->
       assert(!WAITS(claims[i])); /* it is told, or else it is lost */
       ledger.pending = ledger.pending & ~BIT(i);
       if
       :: RULE_SEEN && SHOWN(i) != GONE && SHOWN(i) > ledger.seen[i] -> ledger.seen[i] = SHOWN(i)
       :: else
       fi
    :: else
    fi
  }
}

inline commit(answered) {
  outdate();
  if
  :: answered -> copy_ledger(copy[me], ledger); current[me] = 1
  :: else -> printf("  and hears no answer\n")
  fi;
  check()
}

#define RECORD_(c, answered) \
  :: d_step { (answered || LOST) && MAY_DECIDE && MAY_GRANT(c) -> \
       printf("operator %d (life %d) records claim %d\n", me, copy[me].life, c); settle(); ledger.pending = ledger.pending | BIT(c); ledger.granted = LIVES > 1; commit(answered) }
#define RECORD(c) RECORD_(c, 1) RECORD_(c, 0)

/* TELL who is recorded. */
#define MAY_TELL(c) (HAS(copy[me].pending, c) && \
                     (MAY_BE_TOLD(SHOWN(c), c, copy[me].life) || (!RULE_FINAL && SHOWN(c) == ENDED)))
/* Would the API server take it? */
#define TAKES_TELL(c) ((WAITS(claims[c]) || (!RULE_FINAL && claims[c] == ENDED)) && \
                       (claims[c] == SHOWN(c) || !RULE_TELL_CAS))
#define TELL_(c, answered) \
  :: d_step { (answered || LOST) && MAY_TELL(c) && TAKES_TELL(c) -> \
       printf("operator %d (life %d) tells claim %d\n", me, copy[me].life, c); \
       assert(claims[c] != ENDED); /* terminal is final */ \
       assert(copy[me].life == ledger.life || !HAS(ledger.pending, c)); /* with the token that the living one gave */ \
       write_claim(c, GRANTED, answered) }
#define TELL(c) TELL_(c, 1) TELL_(c, 0)

inline write_claim(c, s, answered) {
  claims[c] = s;
  if
  :: answered -> SHOWN(c) = s
  :: else -> printf("  and hears no answer\n")
  fi;
  check()
}

/* MARK who waits and may be of a former life's ledger (and, told that it waits, who is strictly newer). */
#define NEEDS_MARK(c) (WAITS(SHOWN(c)) && (MARK(SHOWN(c)) == 0 || !MAY_BE_TOLD(SHOWN(c), c, copy[me].life)) && \
                       (MARK(SHOWN(c)) == 0 || !RULE_MARK_LIVING || copy[me].life == ledger.life))
#define MARK_(c, answered) \
  :: d_step { (answered || LOST) && LIVES > 1 && RULE_MARKS && copy[me].life > 0 && NEEDS_MARK(c) && WAITS(claims[c]) && \
              (claims[c] == SHOWN(c) || !RULE_MARK_CAS) -> \
       printf("operator %d (life %d) marks claim %d\n", me, copy[me].life, c); \
       write_claim(c, MARKED(copy[me].life), answered) }
#define MARK_EACH(c) MARK_(c, 1) MARK_(c, 0)

/* END: a terminal phase, for whichever reason: not renewed, its Pod gone, denied, its grace over. */
#define IS_ALIVE(s) ((s) >= WAITING && (s) < ENDED)
#define END_(c, answered) \
  :: d_step { (answered || LOST) && IS_ALIVE(SHOWN(c)) && IS_ALIVE(claims[c]) && (claims[c] == SHOWN(c) || !RULE_END_CAS) -> \
       printf("operator %d (life %d) ends claim %d\n", me, copy[me].life, c); \
       assert(claims[c] == SHOWN(c) || !HOLDS(claims[c])); /* no renewal is overlooked */ \
       write_claim(c, ENDED, answered) }
#define END(c) END_(c, 1) END_(c, 0)

proctype operator(byte me) {
  do
  :: d_step { true -> printf("operator %d sees the claims as they are\n", me);
       for (i : 0 .. CLAIMS - 1) { view[me].claims[i] = claims[i] }
       view[me].life = ledger.life; check() }
  :: d_step { !current[me] -> printf("operator %d sees the primitive as it is\n", me); copy_ledger(copy[me], ledger); current[me] = 1; check() }
  :: d_step { true -> printf("operator %d crashes, and lists everything\n", me);
       for (i : 0 .. CLAIMS - 1) { view[me].claims[i] = claims[i] }
       view[me].life = ledger.life; copy_ledger(copy[me], ledger); current[me] = 1; check() }
  :: d_step { MAY_DECIDE && COUNT(IS_DONE) > 0 -> printf("operator %d forgets what is over\n", me); settle(); commit(1) }
  :: d_step { LOST && MAY_DECIDE && COUNT(IS_DONE) > 0 -> printf("operator %d forgets what is over\n", me); settle(); commit(0) }
  EACH(RECORD)
  EACH(TELL)
  EACH(MARK_EACH)
  EACH(END)
  od
}

/* ---- the world -------------------------------------------------------------------------------------------------- */

#define FREE(c) (claims[c] == UNBORN && (c == 0 || claims[(c + CLAIMS - 1) % CLAIMS] != UNBORN)) /* one is as good */
#define CREATE_(c, newer_than) :: d_step { FREE(c) -> printf("claim %d is created\n", c); claims[c] = WAITING; after[c] = newer_than; check() }
#if LIVES == 1
#define CREATE(c) CREATE_(c, 0)
#else
#define CREATE(c) CREATE_(c, ledger.life - 1) CREATE_(c, ledger.life)
#endif
#define RENEW(c)  :: d_step { RENEWALS && claims[c] == GRANTED -> printf("claim %d is renewed\n", c); claims[c] = RENEWED; check() }
#define DELETE(c) :: d_step { claims[c] > UNBORN && claims[c] < GONE -> printf("claim %d is deleted\n", c); claims[c] = GONE; check() }

proctype world() {
  do
  EACH(CREATE)
  EACH(RENEW)
  EACH(DELETE)
  :: d_step { ledger.life < LIVES -> printf("the primitive is deleted and created anew\n");
       ledger.life++; ledger.pending = 0; ledger.granted = 0; 
       for (i : 0 .. CLAIMS - 1) { ledger.seen[i] = 0 }
       outdate(); check() }
  od
}

init {
  atomic {
    ledger.life = 1;
    for (l : 0 .. LEADERS - 1) { view[l].life = 1; copy[l].life = 1; current[l] = 1; run operator(l) }
    run world()
  }
}

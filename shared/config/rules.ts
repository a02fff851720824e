/** A restriction of a setting's values beyond its type. */
export interface Rule<V> {
  /** Completes "it must be …". */
  readonly allowed: string;
  accepts(value: V): boolean;
}

export function atLeast(least: number): Rule<number> {
  return { allowed: `at least ${least}`, accepts: value => value >= least };
}

/** Both ends included. */
export function between(least: number, most: number): Rule<number> {
  return { allowed: `between ${least} and ${most}`, accepts: value => value >= least && value <= most };
}

/** One special value, or what `rule` accepts. */
export function either(special: number, rule: Rule<number>): Rule<number> {
  return { allowed: `${special}, or ${rule.allowed}`, accepts: value => value === special || rule.accepts(value) };
}

export function oneOf(...values: readonly string[]): Rule<string> {
  return { allowed: `one of ${values.join(', ')}`, accepts: value => values.includes(value) };
}

/** Every element of the list is one of `values`; the empty list is accepted. */
export function someOf(...values: readonly string[]): Rule<readonly string[]> {
  return { allowed: `a list of ${values.join(', ')}`, accepts: list => list.every(value => values.includes(value)) };
}

/** The whole text matches; `allowed` says in words what that means. */
export function matching(pattern: RegExp, allowed: string): Rule<string> {
  return { allowed, accepts: value => pattern.test(value) };
}

/** What a member is known by in one generation of its group. */
export interface Generation {
  readonly memberId: string;
  /** -1: in none. */
  readonly id: number;
  /** The name of the assignor that was chosen. */
  readonly protocol: string;
}

export const NO_GENERATION: Generation = { memberId: '', id: -1, protocol: '' };

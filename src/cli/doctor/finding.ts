/** What one check of `doctor` found. */
export interface Finding {
  readonly check: string;
  /** Nothing needs to be done about it. */
  readonly ok: boolean;
  /** What was found and, when it is not well, how to mend it. */
  readonly message: string;
}

export function good(check: string, message: string): Finding {
  return { check, ok: true, message };
}

export function bad(check: string, message: string): Finding {
  return { check, ok: false, message };
}

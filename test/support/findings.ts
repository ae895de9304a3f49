/** What `doctor --json` found, by check. */
export type Findings = ReadonlyMap<string, { readonly ok: boolean; readonly message: string }>;

export function findingsIn(stdout: string): Findings {
  const { findings } = JSON.parse(stdout) as { findings: { check: string; ok: boolean; message: string }[] };
  return new Map(findings.map(({ check, ...finding }) => [check, finding]));
}

/** An edit that is not taken over: what stands in the file is not what the daemon runs on. */
export interface RefusedEdit {
  readonly file: string;
  /** Why; may have several lines. */
  readonly detail: string;
}

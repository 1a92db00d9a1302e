import type { PlannedFields } from './exchange-plan.ts';

/** What a client saw of one exchange. */
export interface ClientSaw {
  /** The client broke off itself. */
  left: boolean;
  readonly interim: number[];
  status: number | undefined;
  fields: PlannedFields;
  content: string;
  trailers: PlannedFields;
  /** The answer came to its end as a whole message. */
  complete: boolean;
  /** What it could not understand. */
  fault: string | undefined;
  /** Nothing came to any end in time. */
  hangs: boolean;
}

export function nothingSeen(): ClientSaw {
  return {
    ...{ left: false, interim: [], status: undefined, fields: [], content: '', trailers: [] },
    ...{ complete: false, fault: undefined, hangs: false },
  };
}

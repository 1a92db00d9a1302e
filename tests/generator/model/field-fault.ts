import type { PlannedFields } from '../plan/exchange-plan.ts';

/** The planned fields come with their values in their order; those of the connection do not come. */
export function fieldFault(planned: PlannedFields, hop: PlannedFields, seen: PlannedFields): string | undefined {
  const travelled = hop.find(([name, value]) =>
    seen.some(([other, same]) => other.toLowerCase() === name.toLowerCase() && same === value),
  );
  if (travelled !== undefined) return `${travelled[0]} travelled`;
  for (const name of new Set(planned.map(([one]) => one.toLowerCase()))) {
    const wanted = valuesIn(planned, name);
    const got = valuesIn(seen, name);
    if (wanted !== got) return `${name}: ${JSON.stringify(got)} in place of ${JSON.stringify(wanted)}`;
  }
  return undefined;
}

/** Undefined when just these trailers came. */
export function trailerFault(planned: PlannedFields, seen: PlannedFields): string | undefined {
  const fault = fieldFault(planned, [], seen);
  return fault ?? (seen.length === planned.length ? undefined : `${seen.length} in place of ${planned.length}`);
}

function valuesIn(fields: PlannedFields, name: string): string {
  // RFC 9113 8.2.3: crumbs of one cookie are put together again.
  const border = name === 'cookie' ? '; ' : ' | ';
  return fields
    .filter(([one]) => one.toLowerCase() === name)
    .map(([, value]) => value)
    .join(border);
}

/** How a container can be asleep. */
export const WAYS = ['stopped', 'paused'] as const;

export type Way = (typeof WAYS)[number];

/** Where the container of tests/fixtures/image listens. */
export const CONTAINER_PORT = 3000;

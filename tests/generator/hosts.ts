/** The services that the front is told of, by what their upstream speaks; `1.0` and `1.1` share one. */
export const hosts = { '1.0': 'app.test', '1.1': 'app.test', '2': 'h2c.test', tunnel: 'tunnel.test' } as const;

/**
 * How the services of the workspace are reached from outside, told by the environment that the manifest and the daemon give.
 */
export class PublicAddress {
  /** `https` or `http` */
  protocol;
  /** Empty when the service runs by itself. */
  domain;
  #port;

  /** @param {NodeJS.ProcessEnv} env */
  constructor(env) {
    this.protocol = env.PROTOCOL === 'http' ? 'http' : 'https';
    this.domain = (env.REVEILLE_DOMAIN || env.DOMAIN || '').toLowerCase();
    this.#port = env.REVEILLE_HTTPS_PORT ?? '';
  }

  /**
   * @param {string} subdomain
   * @returns {string} `server.alkimia.localhost`
   */
  host(subdomain) {
    return `${subdomain}.${this.domain}`;
  }

  /**
   * @param {string} subdomain
   * @returns {string} `https://server.alkimia.localhost:8443`, without the port where it is the usual one
   */
  origin(subdomain) {
    const usual = this.protocol === 'https' ? '443' : '80';
    const port = this.#port === '' || this.#port === usual ? '' : `:${this.#port}`;
    return `${this.protocol}://${this.host(subdomain)}${port}`;
  }
}

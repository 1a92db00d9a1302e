import { lookup } from 'node:dns';

/**
 * A `lookup` for node:net that also knows the names under `localhost`.
 *
 * RFC 6761, section 6.3: they mean this machine, and browsers say so by themselves, but the resolver of Node fails where no
 * /etc/hosts line has them. The resolver is asked first nonetheless: in a container, /etc/hosts leads these names to the daemon.
 *
 * @type {import('node:net').LookupFunction}
 */
export function localhostLookup(hostname, options, callback) {
  lookup(hostname, options, (error, address, family) => {
    if (!error || !/(^|\.)localhost\.?$/i.test(hostname)) {
      callback(error, address, family);
    } else if (options.all) {
      callback(null, [{ address: '127.0.0.1', family: 4 }]);
    } else {
      callback(null, '127.0.0.1', 4);
    }
  });
}

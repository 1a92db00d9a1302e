/**
 * What mongosh is told inside the container: brings the set to where it can be written to and the user is there, however
 * far it has come before, and ends with 0 when that is so. It runs on the loopback of the container, the only place from
 * where MongoDB lets somebody begin without a user (the localhost exception), and finds names and password in the
 * environment, so that no secret stands in a command line.
 *
 * The member goes by SERVICE.DOMAIN, which leads to it from containers and from this machine alike. When that name has
 * changed since, the set is told by force: it has no other member that could object.
 */
export function replicaSetProgram(name: string, port: number): string {
  return `(async () => {
  const { MONGO_INITDB_ROOT_USERNAME: user, MONGO_INITDB_ROOT_PASSWORD: pwd } = process.env;
  const host = process.env.REVEILLE_SERVICE + '.' + process.env.REVEILLE_DOMAIN + ':${port}';
  const admin = db.getSiblingDB('admin');
  const ask = async (command) => {
    try { return await admin.runCommand(command); } catch (error) { return { ok: 0, errmsg: error.message }; }
  };
  const signIn = async () => {
    try { return (await admin.auth(user, pwd)).ok === 1; } catch { return false; }
  };
  const until = async (test) => {
    for (let tries = 0; tries < 50; tries += 1) {
      const answer = await test();
      if (answer) return answer;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  let known = await signIn();
  const { config } = known ? await ask({ replSetGetConfig: 1 }) : {};
  let answer = {};
  if ((await ask({ hello: 1 })).setName === undefined && !config)
    answer = await ask({ replSetInitiate: { _id: '${name}', members: [{ _id: 0, host }] } });
  else if (config && config.members[0].host !== host)
    answer = await ask({
      replSetReconfig: { ...config, version: config.version + 1, members: [{ ...config.members[0], host }] },
      force: true,
    });
  const writable = await until(async () => (await ask({ hello: 1 })).isWritablePrimary);
  if (writable && !known) {
    answer = await ask({ createUser: user, pwd, roles: ['root'] });
    known = await signIn();
  }
  if (writable && known) return quit(0);
  print(answer.errmsg ?? (writable ? 'the user cannot sign in' : 'no primary yet'));
  quit(1);
})()`;
}

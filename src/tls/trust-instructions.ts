/** How people and programs come to trust the development authority, for `reveille certs`. */
export function trustInstructions(caPath: string, platform: NodeJS.Platform): string {
  const sections = [
    systemStore(caPath, platform),
    ...(platform === 'linux' ? [browserStore(caPath)] : [firefox(caPath)]),
    programs(caPath),
  ];
  return `The development certificate authority is ${caPath}\n\n${sections.join('\n\n')}\n`;
}

function systemStore(caPath: string, platform: NodeJS.Platform): string {
  const file = quote(caPath, platform);
  switch (platform) {
    case 'darwin':
      return lines('macOS (Safari, Chrome, curl):', [
        `sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${file}`,
        `undo: sudo security remove-trusted-cert -d ${file}`,
      ]);
    case 'win32':
      return lines('Windows (Edge, Chrome), in an administrator shell:', [
        `certutil -addstore -f ROOT ${file}`,
        'undo: certutil -delstore ROOT "Reveille development CA"',
      ]);
    default:
      return lines('Linux (curl, wget, git and most programs):', [
        `sudo cp ${file} /usr/local/share/ca-certificates/reveille-development.crt && sudo update-ca-certificates`,
        `Fedora, RHEL, Arch: sudo trust anchor ${file}`,
        'undo: sudo rm /usr/local/share/ca-certificates/reveille-development.crt && sudo update-ca-certificates --fresh',
      ]);
  }
}

function browserStore(caPath: string): string {
  const file = quote(caPath, 'linux');
  const add = `certutil -d sql:"$DIR" -A -t C,, -n reveille-development -i ${file}`;
  return lines('Chromium, Chrome and Firefox on Linux have stores of their own (certutil: package libnss3-tools):', [
    `mkdir -p "$HOME/.pki/nssdb" && for DIR in "$HOME/.pki/nssdb" "$HOME"/.mozilla/firefox/*.default*; do [ -d "$DIR" ] && ${add}; done`,
    'undo: the same with: certutil -d sql:"$DIR" -D -n reveille-development',
  ]);
}

function firefox(caPath: string): string {
  return lines('Firefox:', [
    `Settings > Privacy & Security > Certificates > View Certificates > Authorities > Import: ${caPath}`,
  ]);
}

function programs(caPath: string): string {
  const file = quote(caPath, 'linux');
  return lines('One program at a time, without changing the system:', [
    `Node.js: NODE_EXTRA_CA_CERTS=${file} node app.js`,
    `curl:    curl --cacert ${file} https://...`,
    `Python:  SSL_CERT_FILE=${file} python app.py`,
  ]);
}

function lines(title: string, body: readonly string[]): string {
  return [title, ...body.map((line) => `  ${line}`)].join('\n');
}

/** A path as one word of the shell that will read it. */
function quote(path: string, platform: NodeJS.Platform): string {
  if (/^[A-Za-z0-9_./:\\-]+$/.test(path)) return path;
  return platform === 'win32' ? `"${path}"` : `'${path.replaceAll("'", "'\\''")}'`;
}

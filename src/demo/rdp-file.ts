/** What a client needs of an .rdp file: where to go, and what to say there. */
export interface ConnectionFile {
  host: string;
  port: number;
  routingToken: string;
  userName: string;
}

/** @throws Error naming what the file lacks */
export function readRdpFile(text: string): ConnectionFile {
  const fields = new Map(text.split(/\r?\n/).map((line) => splitField(line)));
  const wanted = (name: string) => {
    const value = fields.get(name);
    if (value === undefined) throw new Error(`the .rdp file has no ${JSON.stringify(name)}`);
    return value;
  };
  const address = wanted('full address');
  const colon = address.lastIndexOf(':');
  return {
    host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'),
    port: Number(address.slice(colon + 1)),
    routingToken: wanted('loadbalanceinfo'),
    userName: wanted('username'),
  };
}

/** `name:type:value`; the type says nothing that the name does not. */
function splitField(line: string): [name: string, value: string] {
  const [name, , ...value] = line.split(':');
  return [name, value.join(':')];
}

/** The ten services: one word each for folder, image, certificate and process, and the port each listens on. */
export const SERVICE_PORTS = {
  'session-pipeline': 8083,
  'session-recorder': 8084,
  'chunk-processor': 8085,
  'session-storage': 8086,
  'session-api': 8087,
  'rdp-server-manager': 8081,
  'rdp-controller': 8082,
  'rdp-xrdp': 8091,
  'rdp-monitor': 8093,
  'node-management': 8095,
} as const;

export type ServiceName = keyof typeof SERVICE_PORTS;

export const SERVICE_NAMES = Object.keys(SERVICE_PORTS) as ServiceName[];

export function isServiceName(value: string): value is ServiceName {
  return Object.hasOwn(SERVICE_PORTS, value);
}

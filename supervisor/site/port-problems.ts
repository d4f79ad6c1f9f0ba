interface OwnPort {
  port?: number | undefined
  bind: string
}

interface PortConfig {
  http_port: number
  https_port: number
  https: 'redirect' | 'on' | 'off'
  bind_addresses?: readonly string[] | undefined
  health: { port?: number | undefined }
  metrics: OwnPort
  admin: OwnPort
}

interface Listener {
  path: string[]
  port: number
  addresses: readonly string[]
}

const everywhere = '::'

/** Problems of keys that name the same port of the same address. */
export function describePortProblems(config: PortConfig): { path: string[]; message: string }[] {
  const { http_port, https_port, https, health, metrics, admin, bind_addresses: front = [everywhere] } = config
  const listeners = [
    { path: ['http_port'], port: http_port, addresses: front },
    { path: ['https_port'], port: https === 'off' ? undefined : https_port, addresses: front },
    { path: ['health', 'port'], port: health.port, addresses: front },
    { path: ['metrics', 'port'], port: metrics.port, addresses: [metrics.bind] },
    { path: ['admin', 'port'], port: admin.port, addresses: [admin.bind] },
    // 0 is any free port
  ].filter((one): one is Listener => one.port !== undefined && one.port !== 0)
  return listeners.flatMap((one, index) => {
    const other = listeners.slice(0, index).find(earlier => earlier.port === one.port && haveCommon(earlier, one))
    return other ? [{ path: one.path, message: `expected a port other than ${other.path.join('.')}` }] : []
  })
}

function haveCommon({ addresses }: Listener, other: Listener): boolean {
  return addresses.some(one => other.addresses.some(another => covers(one, another) || covers(another, one)))
}

function covers(one: string, another: string): boolean {
  return one === another || one === everywhere || (one === '0.0.0.0' && !another.includes(':'))
}

import type { Protocol } from '../nginx/protocol.ts'

interface ProtocolKeys {
  protocol: Protocol
  balance: string
  php?: object | undefined
  health?: { path?: string | undefined } | undefined
}

/** Problem of a key with the protocol of an app. */
interface ProtocolProblem {
  path: string[]
  message: string
  params?: { fix: string }
}

/** Problems of keys of an app that do not fit its protocol. */
export function describeProtocolProblems({ balance, health, php, ...value }: ProtocolKeys): ProtocolProblem[] {
  const protocol = php ? 'fastcgi' : value.protocol
  const problems: ProtocolProblem[] = []
  if (health && health.path === undefined && protocol === 'http')
    problems.push({ path: ['health', 'path'], message: 'expected a path such as /health' })
  if (health?.path !== undefined && protocol !== 'http')
    problems.push({
      path: ['health', 'path'],
      message: `is requested by HTTP, and the workers speak ${protocol}`,
      params: { fix: 'remove path: health: {interval: 5s} probes them in their protocol' },
    })
  if (balance === 'sticky' && protocol === 'grpc')
    problems.push({
      path: ['balance'],
      message: 'is by a cookie, which gRPC clients do not keep',
      params: { fix: 'use least_conn, or ip_hash' },
    })
  return problems
}

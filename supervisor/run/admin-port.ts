import type { TcpServer } from '../base/adapters/tcp-server.ts'
import { formatAddress } from '../base/address.ts'
import type { Log } from '../base/log.ts'
import type { AdminOptions } from './adapters/admin-app.ts'
import { loadGuardedAdmin } from './adapters/guarded-admin.ts'
import type { Run } from './run.ts'
import type { Subject } from './subject.ts'

/** Dependencies of the admin port. */
export interface AdminPortDeps {
  log: Log
  options: AdminOptions
}

/** Listener for the status page and the admin API under `admin.port`; none without it. Its code is loaded when it is needed. */
export async function openAdminPort(
  run: Pick<Run, 'settings'>,
  { log, options }: AdminPortDeps,
): Promise<Subject & { address(): string | undefined }> {
  let listener = await listen(run.settings().config.admin)

  async function listen({ bind, port }: { bind: string; port?: number | undefined }): Promise<TcpServer | undefined> {
    if (port === undefined) return undefined
    const { listenForAdmin } = await import('../dashboard/adapters/listener.ts')
    const opened = await listenForAdmin({ bind, port }, () => loadGuardedAdmin(run, { options, log }, 'port'))
    log.info('status page', { url: `http://${opened.address}/` })
    // history by minute begins with the listener
    await options.page.feed()
    return opened
  }

  return {
    name: 'admin port',
    address: () => listener?.address,
    status() {
      const { token, actions } = run.settings().config.admin
      return listener ? { admin: { address: listener.address, requiresToken: token !== undefined, actions } } : {}
    },
    fixed({ config: { admin: next } }) {
      const { admin } = run.settings().config
      return admin.bind !== next.bind && admin.port === next.port && next.port !== undefined && next.port !== 0
        ? `admin.bind of the port ${formatAddress(admin.bind, next.port)} cannot change without a restart`
        : undefined
    },
    async prepare({ config: { admin: next } }) {
      const { admin } = run.settings().config
      if (admin.bind === next.bind && admin.port === next.port) return undefined
      const [former, opened] = [listener, await listen(next)]
      return {
        revert: () => opened?.close(),
        async commit() {
          listener = opened
          await former?.close()
        },
      }
    },
    close: () => listener?.close(),
  }
}

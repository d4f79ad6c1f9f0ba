import { quote } from '../nginx/text.ts'
import { unansweredName } from '../workers/deaths/in-flight-requests.ts'
import type { NginxModel } from './model.ts'

const requestId = '$monohull_request_id'

/** For the http block, after what else is in run_dir. `off` would silence every log of the block. */
export function renderLogs(model: NginxModel): string[] {
  const { accessLog, apps, workDir } = model
  const unanswered = `access_log ${quote(`${workDir}/${unansweredName}`)} monohull_unanswered if=$monohull_unanswered;`
  return [
    ...(apps.length > 0 ? [unanswered] : []),
    '# access_log, log_format',
    ...(accessLog ? [`access_log ${quote(accessLog.path)} monohull_${accessLog.format};`] : []),
    ...(!accessLog && apps.length === 0 ? ['access_log off;'] : []),
    renderLoggedId(model),
  ]
}

/** An id is random, and making one takes a tenth of the time that a static file takes: none for those whom nobody tells it. */
function renderLoggedId(model: NginxModel): string {
  const none = model.accessLog?.format === 'json' ? `''` : '-'
  return mayTellId(model)
    ? `map '' $monohull_logged_id { default ${requestId}; }`
    : `map $upstream_addr $monohull_logged_id { default ${requestId}; '' ${none}; }`
}

/** Whether anybody but an app or upstream may know the id of a request: who asked, or directives of the user's. */
function mayTellId({ front, routes, snippets, ownNginxConf }: NginxModel): boolean {
  const headers = [...front.headers, ...routes.flatMap(({ rules }) => rules.headers ?? [])]
  return (
    front.trust.proxies.length > 0 ||
    headers.some(({ value }) => value.includes('request_id')) ||
    snippets !== undefined ||
    ownNginxConf !== undefined ||
    routes.some(({ snippet }) => snippet !== undefined)
  )
}

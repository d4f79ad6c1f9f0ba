import { block, callLua } from '../../nginx/text.ts'

/** Variable with the target of another try. */
export const retryTarget = '$monohull_retry_to'

/** Directives that a snippet cannot set without interfering, because nginx retries by them. */
const ownRules = /\b(location|error_page|recursive_error_pages|proxy_next_upstream)\b/

/** Whether another try of a request can be decided about where this text, a snippet of the user, applies. */
export function isGuardable(snippet: string | undefined): boolean {
  return snippet === undefined || !ownRules.test(snippet.replaceAll(/#.*/g, ''))
}

/** Lines for the location of an app: after a failed try, the supervisor decides whether `next`, a named location, gets the request. */
export function renderRetryGuard(app: string, next: string, { keepsBodies }: { keepsBodies: boolean }): string[] {
  return [
    'proxy_next_upstream timeout;',
    'recursive_error_pages on;',
    `set $monohull_retry "${app} ${next}${keepsBodies ? '' : ' unkept'}";`,
  ]
}

/** Lines for the http block: where the error rules of `front/unavailable.ts` lead to. */
export function renderRetryMap(): string[] {
  return [
    '',
    '# app',
    'map $monohull_retry $monohull_after_502 {',
    "    '' /.monohull/bad-gateway.$monohull_page_type;",
    '    default @monohull_retry;',
    '}',
  ]
}

/** Lines for the server block: the location that asks on the supervisor's socket. */
export function renderRetryLocation(socket: string): string[] {
  return [
    '# app',
    // requests without an app have none
    "set $monohull_retry '';",
    ...block('@monohull_retry', [
      `set ${retryTarget} '';`,
      'lua_socket_log_errors off;',
      callLua('rewrite', 'retry.decide', `unix:${socket}`),
    ]),
  ]
}

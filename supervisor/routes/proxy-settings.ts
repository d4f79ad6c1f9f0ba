import type { RoutesModel } from './route.ts'

/** Directive with the settings for every request to an app or upstream. */
export const proxySettings = 'include snippets/proxy.conf;'

/**
 * Whether these settings stand in the server, once for all locations: in each, they cost 17 KB of memory in every nginx process. Not if
 * the user's own files for the server proxy: their locations would inherit the settings, and their directives would add to them.
 */
export function sharesProxySettings({ ownFiles }: Pick<RoutesModel, 'ownFiles'>): boolean {
  return ![...ownFiles].some(([path, text]) => /\/server\.d\/[^/]*$/.test(path) && /\b(proxy_\w+|include)\b/.test(text))
}

/** Whether a line of a location sets a header for the app, or may do so in the user's file. */
export function setsHeaders(line: string): boolean {
  return /^proxy_set_header |^include (?!snippets\/proxy|rendered\/)/.test(line)
}

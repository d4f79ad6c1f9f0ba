import type { NginxModel } from './nginx-model.ts'
import { renderNginx } from './nginx-render.ts'

/**
 * What nginx says of the files of `model`, in the names that the user knows: the own nginx.conf by its path, and a regular
 * expression by the route that it is from.
 */
export function nameOrigins(output: readonly string[], model: NginxModel): string[] {
  const { ownNginxConf } = model
  return output.map(line => {
    if (ownNginxConf) line = line.replace(/ nginx\.conf:(?=\d)/, () => ` ${ownNginxConf.path}:`)
    const route = /pcre2?_compile/.test(line) ? routeOf(line, model) : undefined
    return route ? `${line} (${route})` : line
  })
}

/** `routes[1]`: the comment above the line that nginx names. */
function routeOf(complaint: string, model: NginxModel): string | undefined {
  const [, file = '', line] = / in (rendered\/\S+):(\d+)$/.exec(complaint) ?? []
  const above = renderNginx(model).get(file)?.split('\n').slice(0, Number(line)) ?? []
  return above.findLast(text => /^\s*# routes\[/.test(text))?.replace(/^\s*# /, '')
}

import { resolve } from 'node:path'
import { messageOf, OperatorError } from '../../base/errors.ts'
import type { Complain } from '../../config/report.ts'
import { type AppContent, chooseContent } from '../app-command.ts'
import type { ProgramContext } from './program-context.ts'
import { openProject } from './project.ts'

/** Content of the app from its command or, without one, its directory. Reports problems; undefined if there is none. */
export function findContent(
  key: string,
  command: readonly string[] | undefined,
  {
    context,
    complain,
    php,
  }: { context: ProgramContext; complain: Complain; php?: { root?: string | undefined } | undefined },
): AppContent | undefined {
  try {
    const result = chooseContent(command, openProject(context.directory, context.path), php)
    if (!result.ok) complain(`${key}.command`, command, result.problem, result.fix)
    else if (!('root' in result.content)) return result.content
    else return { ...result.content, root: resolve(context.directory, result.content.root) }
  } catch (error) {
    const fix = error instanceof OperatorError ? error.fix : 'fix the app directory'
    complain(`${key}.command`, undefined, messageOf(error), fix)
  }
  return undefined
}

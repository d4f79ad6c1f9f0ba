/** View of a directory, for finding PHP in it. */
interface Tree {
  isFile(path: string): boolean
}

/** Name of the script that responds where no other file does. */
export const frontController = 'index.php'

/** Document root of the PHP app in a directory: its `public`, else itself. Undefined if neither has an index.php. */
export function findDocumentRoot(directory: string, { isFile }: Tree): string | undefined {
  const candidates = directory === '.' ? ['public', '.'] : [`${directory.replace(/\/+$/, '')}/public`, directory]
  return candidates.find(candidate => isFile(`${candidate}/${frontController}`))
}

const fpmName = /^php-fpm(\d+(?:\.\d+)?)?$/

/** PHP-FPM among the names of programs: the one without a version, which the administrator chose, else the newest. */
export function chooseFpm(names: readonly string[]): string | undefined {
  const found = names.filter(name => fpmName.test(name))
  const version = (name: string) =>
    (fpmName.exec(name)?.[1] ?? '').split('.').reduce((sum, part) => sum * 1000 + Number(part), 0)
  return found.includes('php-fpm') ? 'php-fpm' : found.sort((one, other) => version(other) - version(one))[0]
}

/** Command of a worker with the permission to read the preload. Node 20 needs it; later versions read what NODE_OPTIONS requires. */
export function withReadablePreload(argv: readonly string[], preload: string): string[] {
  return argv.flatMap(word => (word === '--experimental-permission' ? [word, `--allow-fs-read=${preload}`] : [word]))
}

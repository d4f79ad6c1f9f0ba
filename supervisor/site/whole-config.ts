// The configuration with the reasons why a value is refused. In the build it is a file of its own, which only a start that fails loads, and
// a command that shows the configuration.
export { loadConfig, parseConfigFile } from './config.ts'
export { effectiveKeys } from './effective-keys.ts'

// The library's API.

export { defineConfig } from './config/define-config.ts'
export type {
  AppOptions,
  AppsConfig,
  BackoffOptions,
  Config,
  ConfigContext,
  ConfigExport,
  Duration,
  LivenessOptions,
  SingleAppConfig,
  Size,
  WatchOptions,
} from './config/app-options.ts'
export type { DeployOptions, HookCall, HookOptions, SmokeCommand, SmokeRequest } from './config/deploy-options.ts'
export type { LogOptions } from './config/log-options.ts'
export type { TracingOptions } from './config/tracing-options.ts'

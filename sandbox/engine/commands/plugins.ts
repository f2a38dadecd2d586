/* eslint-disable @typescript-eslint/no-require-imports -- providers are loaded when a program uses them */
import { PluginTable } from "../providers/types";

/**
 * The providers there are. The engine's own tests add one that lives in a file, so that nothing they
 * need is part of what users run.
 */
export function loadPlugins(): PluginTable {
    const extra = process.env["CUTOVER_ENGINE_TEST_PLUGINS"];
    const { plugins } = require("../providers/index") as { plugins: PluginTable };
    if (extra === undefined) return plugins;
    return { ...plugins, ...(require(extra) as { plugins: PluginTable }).plugins };
}

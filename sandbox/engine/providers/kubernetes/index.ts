import { isDeepStrictEqual } from "node:util";
import type { Inputs, ProviderPlugin } from "../types";
import { lazy } from "./lazy";
import { KubernetesProvider } from "./provider";
import { readSettings } from "./settings";

export const kubernetes: ProviderPlugin = {
    name: "kubernetes",
    version: "4.34.2",
    async configure(inputs) {
        return new KubernetesProvider(readSettings(inputs));
    },
    replaces,
};

/** Another cluster, as far as the configuration shows it; `clusterIdentifier` overrides the guess. */
function replaces(oldInputs: Inputs, newInputs: Inputs): boolean {
    const { clusterIdentifier: before } = oldInputs;
    const { clusterIdentifier: after } = newInputs;
    if (before !== undefined && after !== undefined) return before !== after;
    const old = readSettings(oldInputs);
    const next = readSettings(newInputs);
    if (next.unknown) return true;
    const { activeCluster } = lazy.kubeconfig();
    const from = activeCluster(old);
    const to = activeCluster(next);
    return from !== undefined && to !== undefined && !isDeepStrictEqual(from, to);
}

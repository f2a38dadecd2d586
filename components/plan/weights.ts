import { Color, Routing, Strategy, type Desired, type Side } from "./types";

/** Shares of the traffic by side, in percent. */
export type Weights = Partial<Record<Side, number>>;

/** The share that each side of the strategy is to get, in percent; they sum to 100. */
export function askedWeights(desired: Desired): Weights {
    const { strategy, activeColor, canaryWeight } = desired;
    const rest = rounded(100 - canaryWeight);
    switch (strategy) {
        case Strategy.rolling:
            return { current: 100 };
        case Strategy.blueGreen:
            return { [activeColor]: rest, [otherColor(activeColor)]: canaryWeight };
        case Strategy.canary:
            return { stable: rest, canary: canaryWeight };
    }
}

/** The color that a blue/green pair would switch to. */
export function otherColor(color: Color): Color {
    return color === Color.blue ? Color.green : Color.blue;
}

/** Whether the traffic is split by how many pods each side has, because nothing else can split it. */
export function splitsByPods({
    strategy,
    routing,
}: Pick<Desired, "strategy" | "routing">): boolean {
    return strategy === Strategy.canary && routing === Routing.service;
}

/**
 * Pods of the canary, of `total`, for a weight in percent: the nearest whole number, but a canary
 * that is to get traffic has a pod, and a stable side that is to keep some does too.
 */
export function canaryPods(total: number, weight: number): number {
    const nearest = Math.round((total * weight) / 100);
    const least = weight > 0 ? 1 : 0;
    const most = weight < 100 ? total - 1 : total;
    return Math.min(Math.max(nearest, least), most);
}

/** The shares that pods of equal weight give, in percent, to one decimal; they sum to 100. */
export function podShares(total: number, weight: number): { stable: number; canary: number } {
    const canary = rounded((canaryPods(total, weight) / total) * 100);
    return { stable: rounded(100 - canary), canary };
}

/** To one decimal: 100 - 0.1 is not 99.9 in binary. */
function rounded(percent: number): number {
    return Math.round(percent * 10) / 10;
}

import { comparable } from "./state";
import type { Desired, Plan, SidePlan, State } from "./types";

/**
 * The core rule: grow → route → shrink. A side that gains traffic, or keeps some and as many pods, is
 * made ready before the route moves; one that has none, or loses pods with some of its traffic, is
 * touched after it did. What the route is to select and would have to grow always comes before it,
 * whatever the last outputs say: they are older than the cluster where an `up` was killed.
 */
export function orderOf(
    sides: readonly SidePlan[],
    previous: State | undefined,
    desired: Desired,
): Plan["order"] {
    const before = comparable(previous, desired);
    const grows = ({ side, share, size }: SidePlan) =>
        share > 0 &&
        (share >= (before?.weights[side] ?? 0) ||
            size.replicas >= (before?.sides[side]?.replicas ?? 0));
    const byShare = [...sides].sort((a, b) => b.share - a.share);
    return {
        beforeRoute: byShare.filter(grows).map(({ side }) => side),
        afterRoute: byShare.filter((side) => !grows(side)).map(({ side }) => side),
    };
}

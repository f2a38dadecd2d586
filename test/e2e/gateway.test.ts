// lane: shared, about 300 s
import { programSuite } from "./gateway/program-suite";
import { routeSuite } from "./gateway/route-suite";
import { GatewaySite } from "./gateway/site";

// One file, for what it installs is there for the whole cluster.
describe("gateway, with the real CRDs and a stub for the controller", function () {
    this.timeout(240_000);
    let site: GatewaySite | undefined;
    const siteOf = (): GatewaySite => site as GatewaySite;

    before(async function () {
        site = await GatewaySite.open(this);
    });
    after(() => site?.close());

    describe("the route", () => routeSuite(siteOf));
    describe("the program", () => programSuite(siteOf));
});

import * as pulumi from "@pulumi/pulumi";
import { BlueGreen } from "../../components/blue-green";

/** A program with as many APIs as `cutover:count` says, each a blue/green pair. Only ever previewed. */
const config = new pulumi.Config("cutover");
const context = new pulumi.Config("kubernetes").require("context");

for (let index = 1; index <= config.requireNumber("count"); index++) {
    new BlueGreen(`api-${index}`, {
        // It exists in every cluster, so that the API server has a place to try the objects in.
        namespace: "default",
        releases: {
            "1.0.0": { image: "cutover.local/endpoint-stats:1.0.0" },
            "2.0.0": { image: "cutover.local/endpoint-stats:2.0.0" },
        },
        blue: "1.0.0",
        green: "2.0.0",
        cluster: { context },
    });
}

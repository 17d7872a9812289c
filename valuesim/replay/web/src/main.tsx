import { render } from "preact";
import { App } from "./app";
import "./style/base.css";
import "./style/find.css";
import "./style/watch.css";
import "./style/graph.css";
import "./style/branch.css";
import "./style/play.css";
import "./style/part.css";
import "./style/share.css";
import "./style/live.css";

const place = document.getElementById("app");
if (place) render(<App />, place);

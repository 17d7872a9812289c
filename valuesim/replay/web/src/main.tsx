import { render } from "preact";
import { App } from "./app";
import "./style/base.css";
import "./style/find.css";
import "./style/watch.css";

const place = document.getElementById("app");
if (place) render(<App />, place);

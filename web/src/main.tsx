import { render } from "preact";
import { App } from "./app";
import { applyTheme, storedTheme } from "./parts/theme";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/views.css";

applyTheme(storedTheme());
render(<App />, document.body);

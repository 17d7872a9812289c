// A part of the page that fails says so, and leaves the rest alone; it is tried again when what it shows changes.
import { Component, type ComponentChildren } from "preact";
import { Text } from "./text";

interface GuardProps {
  /** What is shown: another one is tried anew. */
  at: string;
  /** What could not be done, as the beginning of a sentence. */
  failed: string;
  children: ComponentChildren;
}

interface Failure {
  error: string | null;
  at: string | null;
}

export class Guard extends Component<GuardProps, Failure> {
  state: Failure = { error: null, at: null };

  componentDidCatch(error: unknown): void {
    this.setState({ error: error instanceof Error ? error.message : String(error), at: this.props.at });
  }

  render() {
    if (this.state.error === null || this.state.at !== this.props.at) return this.props.children;
    return (
      <p class="note">
        {this.props.failed} (<Text>{this.state.error}</Text>).
      </p>
    );
  }
}

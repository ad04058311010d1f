"""An agent before al-instrument has seen it; afterwards its main part finds the governed tools."""

from langchain_core.tools import tool


@tool
def read_orders(query: str) -> str:
    """Reads orders."""
    return f"read {query}"


@tool
def delete_orders(query: str) -> str:
    """Deletes orders."""
    return f"deleted {query}"


if __name__ == "__main__":
    for name in ("read_orders", "delete_orders"):
        try:
            # Newer versions of LangChain want a `config`, which the wrapper passes on where it is given.
            print(globals()[f"governed_{name}"]._run("orders", config={}))
        except Exception as error:
            print(f"{name}: {type(error).__name__} {getattr(error, 'code', error)}")

from docs.commonmark import on_page_markdown

PAGE = """\
1. Preview:

   ```sh
   for each in a b; do
     echo "$each"
   done
   ```

   Then
   - nested
2. Second

- one
  continued

```yaml
a:
  b: 1
```
"""

EXPECTED = """\
1. Preview:

    ```sh
    for each in a b; do
      echo "$each"
    done
    ```

    Then
    - nested
2. Second

- one
    continued

```yaml
a:
  b: 1
```
"""


def test_content_of_list_items_is_indented_by_four() -> None:
    assert on_page_markdown(PAGE, page=None) == EXPECTED


def test_a_page_that_is_indented_by_four_stays() -> None:
    assert on_page_markdown(EXPECTED) == EXPECTED

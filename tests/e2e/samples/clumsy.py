def is_adult(age):
    """Return True if an age is that of an adult."""
    if age >= 18:
        return True
    else:
        return False


def count_up(value):
    """Return the number after a number."""
    value = value + 1
    return value


def squares(numbers):
    """Return the squares of a list of numbers."""
    result = []
    for number in numbers:
        result.append(number * number)
    return result
